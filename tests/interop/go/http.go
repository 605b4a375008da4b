package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A gateway as a stranger reads it: C2SP tlog-tiles over HTTP.
type gateway struct {
	url    string
	client http.Client
	saved  int
}

func (g *gateway) get(path string) ([]byte, error) {
	answer, err := g.client.Get(g.url + "/" + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != 200 {
		err = fmt.Errorf("%s: %s: %s", path, answer.Status, body)
	}
	return body, err
}

func (g *gateway) must(path string) []byte {
	body, err := g.get(path)
	fail(err)
	return body
}

func (g *gateway) Height() int { return 8 }

// The paths of the package begin with the height, which C2SP leaves out.
func (g *gateway) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		bytes, err := g.get(strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		all = append(all, bytes)
	}
	return all, nil
}

func (g *gateway) SaveTiles(tiles []tlog.Tile, _ [][]byte) { g.saved += len(tiles) }

// The tree of a checkpoint that a key has signed.
func openTree(vkey string, bytes []byte) tlog.Tree {
	verifier, err := note.NewVerifier(vkey)
	fail(err)
	opened, err := note.Open(bytes, note.VerifierList(verifier))
	fail(err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		fail(fmt.Errorf("not a checkpoint: %q", opened.Text))
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	fail(err)
	var tree tlog.Tree
	tree.N = number(lines[1])
	copy(tree.Hash[:], root)
	return tree
}

// Every entry of the log, from its bundles.
func (g *gateway) entries(size int64) [][]byte {
	var entries [][]byte
	for first := int64(0); first < size; first += 256 {
		tile := tlog.Tile{H: 8, L: 0, N: first / 256, W: int(min64(256, size-first))}
		bundle := g.must(strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1))
		for len(bundle) > 0 {
			length := int(binary.BigEndian.Uint16(bundle))
			entries = append(entries, bundle[2:2+length])
			bundle = bundle[2+length:]
		}
	}
	return entries
}

func min64(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}

func readGateway(vkey, url, olderFile string) {
	g := &gateway{url: strings.TrimSuffix(url, "/"), client: http.Client{Timeout: 20 * time.Second}}
	tree := openTree(vkey, g.must("checkpoint"))
	bytes, err := os.ReadFile(olderFile)
	fail(err)
	older := openTree(vkey, bytes)
	if older.N >= tree.N {
		fail(fmt.Errorf("the log has not grown: %d, %d", older.N, tree.N))
	}
	reader := tlog.TileHashReader(tree, g)

	entries := g.entries(tree.N)
	if int64(len(entries)) != tree.N {
		fail(fmt.Errorf("%d entries in a log of %d", len(entries), tree.N))
	}
	for index, entry := range entries {
		proof, err := tlog.ProveRecord(tree.N, int64(index), reader)
		fail(err)
		fail(tlog.CheckRecord(proof, tree.N, tree.Hash, int64(index), tlog.RecordHash(entry)))
	}

	proof, err := tlog.ProveTree(tree.N, older.N, reader)
	fail(err)
	fail(tlog.CheckTree(proof, tree.N, tree.Hash, older.N, older.Hash))

	// What the gateway computes is what the package computes.
	for _, index := range []int64{0, older.N, tree.N - 1} {
		var answer struct{ Hashes [][]byte }
		path := "v1/inclusion?index=" + strconv.FormatInt(index, 10) + "&size=" + strconv.FormatInt(tree.N, 10)
		fail(json.Unmarshal(g.must(path), &answer))
		var hashes []tlog.Hash
		for _, bytes := range answer.Hashes {
			var one tlog.Hash
			copy(one[:], bytes)
			hashes = append(hashes, one)
		}
		fail(tlog.CheckRecord(hashes, tree.N, tree.Hash, index, tlog.RecordHash(entries[index])))
	}
	fmt.Printf("%d entries, consistent with size %d, %d tiles\n", tree.N, older.N, g.saved)
}

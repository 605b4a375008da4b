// A stranger's judgement of a bundle: the note and tlog packages of the Go project.
//
//	interop VKEY note FILE                        opens a signed note
//	interop VKEY inclusion FILE                   lines "index size leaf root hash..." in hexadecimal
//	interop VKEY consistency FILE                 lines "size1 size2 root1 root2 hash..."
//	interop VKEY http URL OLDER_NOTE_FILE         reads a running gateway (http.go)
//
// Exit 0 if everything is true, 1 if not.
package main

import (
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func hash(text string) tlog.Hash {
	bytes, err := hex.DecodeString(text)
	fail(err)
	var value tlog.Hash
	if copy(value[:], bytes) != tlog.HashSize || len(bytes) != tlog.HashSize {
		fail(fmt.Errorf("a hash of %d bytes", len(bytes)))
	}
	return value
}

func hashes(words []string) []tlog.Hash {
	var list []tlog.Hash
	for _, word := range words {
		list = append(list, hash(word))
	}
	return list
}

func number(text string) int64 {
	value, err := strconv.ParseInt(text, 10, 64)
	fail(err)
	return value
}

func main() {
	if len(os.Args) == 5 && os.Args[2] == "http" {
		readGateway(os.Args[1], os.Args[3], os.Args[4])
		return
	}
	if len(os.Args) != 4 {
		fail(fmt.Errorf("usage: interop VKEY note|inclusion|consistency FILE, or interop VKEY http URL FILE"))
	}
	bytes, err := os.ReadFile(os.Args[3])
	fail(err)
	if os.Args[2] == "note" {
		verifier, err := note.NewVerifier(os.Args[1])
		fail(err)
		_, err = note.Open(bytes, note.VerifierList(verifier))
		fail(err)
		return
	}
	lines := strings.Split(strings.TrimSpace(string(bytes)), "\n")
	for _, line := range lines {
		words := strings.Fields(line)
		if os.Args[2] == "inclusion" {
			fail(tlog.CheckRecord(hashes(words[4:]), number(words[1]), hash(words[3]),
				number(words[0]), hash(words[2])))
		} else {
			fail(tlog.CheckTree(hashes(words[4:]), number(words[1]), hash(words[3]),
				number(words[0]), hash(words[2])))
		}
	}
}

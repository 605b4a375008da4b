# What zsh makes of a command line and a tab.
#
#   zsh -f complete.zsh FOLDER-OF-_custody 'custody event rec'
zmodload zsh/zpty || exit 1
zpty shell zsh -f -i
zpty -w shell "PS1='> '; unsetopt beep; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; echo ready"
out=""
for i in {1..100}; do
  zpty -r -t shell chunk && out+=$chunk
  [[ $out == *ready*ready* ]] && break
  sleep 0.1
done
zpty -n -w shell "$2"$'\t'
out=""
for i in {1..50}; do
  zpty -r -t shell chunk && out+=$chunk
  sleep 0.05
done
zpty -d shell
print -r -- ${out//$'\e'\[[0-9;?]#[a-zA-Z]/}

# SPDX-License-Identifier: BSD-2-Clause
# What an interactive zsh offers, from its own completion system: the words that reach compadd when TAB is pressed.
mkdir functions && cprof-analyze --completion=zsh >functions/_cprof-analyze
cat >setup.zsh <<'END'
PROMPT= RPS1= ; unsetopt zle_bracketed_paste beep; TERM=dumb
fpath=($PWD/functions $fpath)
autoload -Uz compinit && compinit -u -D
# Lists that functions ask for in arrays are not offered yet.
compadd() {
	local -a offered
	if [[ ${@[1,(i)(-|--)]} == *-[OAD]* ]]; then builtin compadd "$@"; return; fi
	builtin compadd -O offered "$@"
	print -rl -- $offered >>$PWD/offered
	builtin compadd "$@"
}
offer() { : >$PWD/offered; zle complete-word; print -r -- "$BUFFER" >$PWD/buffer; BUFFER=; mv $PWD/offered $PWD/done; }
zle -N offer
bindkey '^T' offer
print ready >$PWD/ready
END
cat >drive.zsh <<'END'
zmodload zsh/zpty
await() { repeat 6000 { [[ -e $1 ]] && return; zpty -r -t z output; sleep 0.01 }; print "no $1 after a minute"; exit 1 }
zpty z "TERM=dumb zsh -f -i"
zpty -w z "source ./setup.zsh"
await ready
for line in "$@"; do
	rm -f done
	zpty -w -n z "$line"$'\C-T'
	await done
	print -r -- "$line: ${(j: :)${(ou)${(f)$(<done)}}}"
done
zpty -d z
END
mkdir traces && touch traces/one.lz4
TERM=dumb zsh -f drive.zsh 'cprof-analyze fl' 'cprof-analyze tree --fo' 'cprof-analyze tree --format=' 'cprof-analyze flat --sort=c' 'cprof-analyze export --to=p' \
	'cprof-analyze tree traces/' 'cprof-analyze doctor --a'

"""`betterai completion`: a script for a shell, which asks the hidden command `betterai complete` at each Tab."""

from __future__ import annotations

from argparse import Namespace

from betterai.cli.output import Output

SCRIPTS = {
    "bash": """\
_betterai() {
    local IFS=$'\\n'
    COMPREPLY=($("${1:-betterai}" complete bash -- "${COMP_LINE:0:COMP_POINT}" 2>/dev/null))
}
complete -o default -F _betterai betterai
""",
    "zsh": """\
#compdef betterai
_betterai() {
    local -a found
    found=("${(@f)$(betterai complete zsh -- "${(j: :)words[1,CURRENT]}" 2>/dev/null)}")
    if [[ -n "$found[1]" ]]; then _describe betterai found; else _files; fi
}
if [[ "$funcstack[1]" = _betterai ]]; then _betterai "$@"; else compdef _betterai betterai; fi
""",
    "fish": """\
function __betterai_complete
    set -l found (betterai complete fish -- (commandline -cp | string collect) 2>/dev/null)
    if test -n "$found"
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c betterai -f -a '(__betterai_complete)'
""",
}


def run(arguments: Namespace, output: Output) -> int:
    output.answers.write(SCRIPTS[arguments.shell])
    return 0

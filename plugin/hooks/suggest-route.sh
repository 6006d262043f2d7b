#!/bin/sh
# Asks the router's service where the prompt on stdin (a hook's JSON) should go. Prints a hook's answer where the model
# is sure that it is not this conversation; else nothing, at once. Always ends with 0, after 0.3 s at the latest (DUAL_HINT_WAIT_S).
# Needs sh, sed and curl, no JSON parser: the prompt travels from string to string as it is escaped.

# A session that the runner started has its place already.
[ -z "${RUNNER_SESSION_ID:-}${DUAL_NO_HINTS:-}" ] || exit 0
command -v curl >/dev/null 2>&1 || exit 0

# Quotes inside a JSON string are escaped, so that what looks like a key is one. A longer prompt is no ask, and would
# be cut in the middle of the string, which then is not found.
prompt=$(head -c 8000 | LC_ALL=C sed -nE 's/^(.*[{,])?[[:space:]]*"prompt"[[:space:]]*:[[:space:]]*("([^"\\]|\\.)*").*/\2/p')
case $prompt in
    '"/'* | '"!'* | '"#'*) exit 0 ;; # a command, not a task
    '"'[Oo][Kk][!a-z]* | '"'[Nn]ow' '* | '"'[Yy]es[!a-z]* | '"'[Nn]o[!a-z]* | '"'[Aa]nd' '* | '"'[Aa]lso[!a-z]* | \
        '"'[Tt]hen' '* | '"'[Tt]hanks[!a-z]*) exit 0 ;; # goes on with what is under way
    *' '*' '*) ;;
    *) exit 0 ;; # too short to be a task of its own
esac

token=${RUNNER_ROUTER_TOKEN:-${ROUTER_TOKEN:-}}
token=${token%%,*}
header=
[ -z "$token" ] || header="header = \"authorization: Bearer $token\""
# The token goes through a descriptor, not the command line, where every user of the machine could read it.
answer=$(
    printf '{"task":%s,"context":{"via":"prompt hook"}}' "$prompt" |
        curl -q --silent --fail --noproxy '*' --max-time "${DUAL_HINT_WAIT_S:-0.3}" --header 'content-type: application/json' \
            --data-binary @- --config /dev/fd/3 "${RUNNER_ROUTER_URL:-http://127.0.0.1:8787}/route" \
            2>/dev/null 3<<EOF
$header
EOF
) || exit 0

case $answer in *'"source":"model"'*) ;; *) exit 0 ;; esac
case $answer in *'"needs_confirmation":false'*) ;; *) exit 0 ;; esac
confidence=${answer#*\"confidence\":}
confidence=${confidence%%[!0-9.]*}
case $confidence in
    1 | 1.0) percent=100 ;;
    0.[89]*)
        digits=${confidence#0.}00
        percent=${digits%"${digits#??}"}
        ;;
    *) exit 0 ;;
esac
kind=${answer#*\"task_type\":\"}
kind=${kind%%\"*}
case $kind in *[!a-z_-]*) exit 0 ;; esac
platform=${answer#*\"platform\":\"}
case ${platform%%\"*} in
    codex)
        place="headless sessions in the background"
        way="runner execute --platform codex 'TASK'"
        ;;
    hybrid)
        place="design here, implementation by headless sessions"
        way="runner coordinate --workflow hybrid_development --task 'TASK' (in Claude Code: /dual-coordinate)"
        ;;
    *) exit 0 ;;
esac

hint="$kind task ($percent % sure): better as $place"
context="A router trained on developer tasks takes this prompt for a $kind task ($percent % sure), better done as $place \
than in this conversation alone. Tell the user so in one line and offer: $way. Start it only if the user agrees; if the \
prompt goes on with work that is under way here, ignore this."
printf '{"systemMessage":"dual: %s","hookSpecificOutput":{"hookEventName":"UserPromptSubmit","additionalContext":"%s"}}\n' \
    "$hint" "$context"
exit 0

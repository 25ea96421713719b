# One launch of a Compose run: writes the job file, runs the job, and keeps what the kit's own engine would observe.
# Arguments: the run's name, the launch's id, the seconds after which it is killed, the ids of its block, the job (JSON);
# and, if the launches of its block take turns, the folder below the run's in which they pass the turn on. These launches
# start at the same time, so several of these scripts run at once; each of them writes the folder of its own launch alone.
# This script ends with 0 also if the launch fails, so that the next one starts. The file exit_code has the launch's own
# exit code, and is written last, as a whole.
launches=/runs/$1/launches
launch=$launches/$2
# Launches are divided by one another only within a block and a session: all of an incomplete block is run again. All
# scripts of a block decide alike, whoever comes first: a complete block is changed by none of them, and an incomplete
# one stays so until every launch of it has been run again, because the sessions of its launches differ until then.
is_complete() {
  first=
  for each in $1; do
    found=$(cat "$launches/$each/exit_code" "$launches/$each/session" 2>/dev/null | tr '\n' ' ')
    case $found in "0 "?*) ;; *) return 1 ;; esac
    [ "$found" = "${first:=$found}" ] || return 1
  done
}
if is_complete "$4"; then
  echo "$2 was measured before, and so was its block"
  exit 0
fi
if [ -e "$launch" ]; then
  mv "$launch" "$launch.before-$(date -u +%Y%m%dT%H%M%S.%NZ)"
fi
workload() { /opt/environment/bin/python /opt/workload "$@"; }
capture() { mkdir -p "$launch/$1"; workload --capture "$2" --result-dir "$launch/$1" >/dev/null; }
now() { date -u +%Y-%m-%dT%H:%M:%S+00:00; }

mkdir -p "$launch/job" "$launch/result"
session=$(cat "/runs/$1/session")
echo "$session" >"$launch/session"
printf '%s\n' "$5" >"$launch/job/job.json"
turns=${6:+/runs/$1/$6}
# The FIFOs of each session are in a folder of their own, so that what an interrupted session left misleads nobody.
if [ -n "$turns" ]; then
  mkdir -p "$turns/session-$session"
fi
capture before conditions
now >"$launch/started"
code=0
timeout --signal=KILL "$3" /opt/environment/bin/python /opt/workload \
  --job "$launch/job/job.json" --result-dir "$launch/result" ${turns:+--turns-dir "$turns/session-$session"} \
  >"$launch/log.txt" 2>&1 || code=$?
now >"$launch/ended"
# The last launch of a block ends last. If it ended well, all others have given their last turn away, and nobody needs the
# FIFOs any more. Otherwise they stay until the block has been run again.
if [ -n "$turns" ] && [ "$code" = 0 ] && [ "$2" = "${4##* }" ]; then
  rm -rf "$turns" || :
  rmdir "${turns%/*}" 2>/dev/null || :
fi
capture after readings
echo "$code" >"$launch/exit_code.new"
mv "$launch/exit_code.new" "$launch/exit_code"
if [ "$code" != 0 ]; then
  echo "$2 failed with exit code $code; the last lines of $launch/log.txt:"
  tail -n 3 "$launch/log.txt"
fi

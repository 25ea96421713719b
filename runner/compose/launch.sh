# One launch of a Compose run: writes the job file, carries it out, keeps what the kit's own engine would have seen.
# Arguments: the run's name, the launch's id, the seconds after which it is killed, the job (JSON).
# A launch that fails ends with 0 here, so that the next one starts; exit_code has its own code, and is written last.
launch=/runs/$1/launches/$2
if [ "$(cat "$launch/exit_code" 2>/dev/null)" = 0 ]; then
  echo "$2 was measured before"
  exit 0
fi
if [ -e "$launch" ]; then
  mv "$launch" "$launch.before-$(date -u +%Y%m%dT%H%M%SZ)"
fi
workload() { /opt/environment/bin/python /opt/workload "$@"; }
capture() { mkdir -p "$launch/$1"; workload --capture "$2" --result-dir "$launch/$1" >/dev/null; }
now() { date -u +%Y-%m-%dT%H:%M:%S+00:00; }

mkdir -p "$launch/job" "$launch/result"
printf '%s\n' "$4" >"$launch/job/job.json"
capture before conditions
now >"$launch/started"
code=0
timeout --signal=KILL "$3" /opt/environment/bin/python /opt/workload \
  --job "$launch/job/job.json" --result-dir "$launch/result" >"$launch/log.txt" 2>&1 || code=$?
now >"$launch/ended"
capture after readings
echo "$code" >"$launch/exit_code"
if [ "$code" != 0 ]; then
  echo "$2 failed with exit code $code; the last lines of $launch/log.txt:"
  tail -n 3 "$launch/log.txt"
fi

# The first service of a Compose run: refuses settings that would fail later, makes the run's folder, captures the host.
# It runs once for each `up`, and so counts the sessions: launches of two sessions are never divided by one another.
# Arguments: the run's name; the request (JSON); the memory limit in bytes; the free memory in bytes that the launches of
# a block need together, 0 if they follow one another; and CPUs and threads, only if each CPU of the pin is a core of its
# own. /runs is results/runs of the host.
refuse() { echo "refused: $*" >&2; exit 1; }
run=/runs/$1
[ -w /runs ] || refuse "results/runs cannot be written by uid $(id -u); set KIT_UID and KIT_GID to that folder's owner"
case $3 in *[!0-9]*) refuse "KIT_MEMORY=$3 is not a number of bytes (0 for no limit)" ;; esac
free=
while read -r name kibibytes _; do
  [ "$name" != MemAvailable: ] || free=$((kibibytes * 1024))
done </proc/meminfo
if [ "$4" != 0 ] && [ -n "$free" ] && [ "$free" -lt "$4" ]; then
  refuse "the launches of a block take turns, and would need about $4 bytes of free memory together; $free are free." \
    "Write files in which they follow one another, on any machine with the kit: python -m runner compose --in-sequence"
fi
if [ $# -gt 4 ]; then
  count=0
  for item in $(echo "$5" | tr , ' '); do count=$((count + ${item##*-} - ${item%%-*} + 1)); done
  [ "$count" = "$6" ] || refuse "KIT_CPUS=$5 are $count CPUs, and KIT_THREADS is $6; both must be equal"
fi
if [ -e "$run/compose.json" ]; then
  [ "$(cat "$run/compose.json")" = "$2" ] \
    || refuse "results/runs/$1 was begun with other settings; set KIT_RUN to another name, or restore the settings"
  [ -e "$run/session" ] || refuse "results/runs/$1 was begun by an older file, which did not count sessions; set KIT_RUN to another name"
  session=$(($(cat "$run/session") + 1))
  echo "$session" >"$run/session"
  echo "going on with results/runs/$1, session $session"
  exit 0
fi
[ ! -e "$run/run.json" ] || refuse "results/runs/$1 holds a run of compare; set KIT_RUN to another name"
rm -rf "$run/host"
mkdir -p "$run/host"
/opt/environment/bin/python /opt/workload --capture host --result-dir "$run/host"
echo 1 >"$run/session"
printf '%s\n' "$2" >"$run/compose.json"

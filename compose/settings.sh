#!/bin/sh
# Prints the settings of this host for compose/compare.yaml: one logical CPU of each physical core, and your user.
#   sh compose/settings.sh > compose/.env
# An argument is a folder with a captured /sys, in place of this host's.
set -eu
cpus= threads=0
for number in $(cd "${1:-}/sys/devices/system/cpu" && ls -d cpu[0-9]* | sed s/cpu// | sort -n); do
  siblings=$(cat "${1:-}/sys/devices/system/cpu/cpu$number/topology/thread_siblings_list" 2>/dev/null) || continue
  if [ "${siblings%%[,-]*}" = "$number" ]; then
    cpus="$cpus${cpus:+,}$number"
    threads=$((threads + 1))
  fi
done
if [ "$threads" = 0 ]; then
  echo "this host does not tell which CPUs share a core: set KIT_CPUS and KIT_THREADS yourself" >&2
  exit 3
fi
echo "KIT_CPUS=$cpus"
echo "KIT_THREADS=$threads"
echo "KIT_UID=$(id -u)"
echo "KIT_GID=$(id -g)"

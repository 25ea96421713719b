#!/bin/sh
# Prints the settings of this host for compose/compare.yaml: one logical CPU of each physical core, and your user.
#   sh compose/settings.sh > compose/.env
# An argument is a folder with a captured /sys, in place of this host's.
# Isolated CPUs (isolcpus=) and the efficiency cores of a hybrid processor are left out: on both, threads that the
# scheduler places fare otherwise than OpenMP's. To measure there all the same, set KIT_CPUS and KIT_THREADS yourself.
set -eu
sys=${1:-}/sys/devices

# The numbers of a list such as 0-3,8, one a line.
numbers() {
  for item in $(echo "$1" | tr ',' ' '); do
    seq "${item%-*}" "${item#*-}"
  done
}

# What a file holds, or nothing.
content() {
  cat "$1" 2>/dev/null || true
}

# Those of all CPUs that a file puts below four fifths of the highest.
far_below() {
  for number in $all; do
    value=$(content "$sys/system/cpu/cpu$number/$1")
    [ -z "$value" ] || echo "$number $value"
  done | sort -k 2,2nr | awk 'NR == 1 {highest = $2} $2 < 0.8 * highest {print $1}'
}

all=$(cd "$sys/system/cpu" && ls -d cpu[0-9]* | sed s/cpu// | sort -n)
isolated=$(numbers "$(content "$sys/system/cpu/isolated")")
slow=$(numbers "$(content "$sys/cpu_atom/cpus"),$(content "$sys/cpu_lowpower/cpus")")
[ -n "$slow" ] || slow=$(far_below cpu_capacity)
[ -n "$slow" ] || slow=$(far_below cpufreq/cpuinfo_max_freq)

is_in() {
  echo "$2" | grep -qx "$1"
}

# One CPU, the lowest, of each core that has one outside of the list of CPUs to leave out.
choose() {
  cpus= threads=0 seen=
  for number in $all; do
    siblings=$(content "$sys/system/cpu/cpu$number/topology/thread_siblings_list")
    if [ -z "$siblings" ] || is_in "$number" "$1" || is_in "$siblings" "$seen"; then continue; fi
    seen="$seen
$siblings"
    cpus="$cpus${cpus:+,}$number"
    threads=$((threads + 1))
  done
}

choose "$isolated
$slow"
[ "$threads" != 0 ] || choose "$isolated"
if [ "$threads" = 0 ]; then
  echo "this host does not tell which CPUs share a core, or all are isolated: set KIT_CPUS and KIT_THREADS yourself" >&2
  exit 3
fi
echo "KIT_CPUS=$cpus"
echo "KIT_THREADS=$threads"
echo "KIT_UID=$(id -u)"
echo "KIT_GID=$(id -g)"

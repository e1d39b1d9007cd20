# Runs blocks of commands, in order, on a machine as a reader has it: eth0 with traffic, Redis at its
# usual port, and the repository as it was cloned. Prints of each its name, how it ended, and what it
# said. For bash, in a copy of the system with a network of its own; /mnt has what it needs.
set -u

ip link set lo up
# The other end of the cable is in a network of its own.
unshare --net sleep infinity &
elsewhere=$!
until [ "$(readlink "/proc/$elsewhere/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do
  sleep 0.1
done
ip link add eth0 type veth peer name wire netns "$elsewhere"
there() { nsenter --net="/proc/$elsewhere/ns/net" "$@"; }
ip address add 192.168.1.9/24 dev eth0
ip link set eth0 up
there ip link set wire up
redis-server --save "" --daemonize yes >/dev/null
until redis-cli ping >/dev/null 2>&1; do sleep 0.1; done

# sudo hides the caches, without which nothing can be had here.
echo 'Defaults env_keep += "DENO_DIR npm_config_cache npm_config_prefer_offline TZ NO_COLOR"' \
  >/etc/sudoers.d/caches
ln -sf /mnt/flosensor /usr/local/bin/flosensor
cd /mnt/clone || exit 1

# A capture, or a server, is ended as with Ctrl-C once it runs and saw the traffic.
running='capturing on|listening on'
set -m # Each block is a process group of its own, for Ctrl-C.
for block in /mnt/blocks/*; do
  said=/tmp/${block##*/}
  bash -e "$block" >"$said" 2>&1 </dev/null &
  group=$!
  heard=0
  interrupted=
  patience=3000
  while kill -0 "$group" 2>/dev/null; do
    if [ "$(grep -cE "$running" "$said")" -gt "$heard" ]; then
      there tcpreplay -q --topspeed -i wire /mnt/clone/capture.pcap >/dev/null 2>&1
      sleep 2
      heard=$(grep -cE "$running" "$said")
      interrupted=yes
      kill -INT -- "-$group"
    fi
    sleep 0.1
    if [ $((patience -= 1)) -eq 0 ]; then kill -KILL -- "-$group"; fi
  done
  wait "$group"
  status=$?
  # A replay, unlike a capture, says by its status that it was not over.
  if [ -n "$interrupted" ] && [ $status -eq 130 ] && grep -q replay "$block"; then status=0; fi
  printf '\n@@ %s %s\n' "${block##*/}" "$status"
  cat "$said"
done
kill "$elsewhere"

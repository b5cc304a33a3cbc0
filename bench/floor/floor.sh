#!/usr/bin/env bash
# The least that a cluster of three etcd members, three Swarm managers and two workers costs: plain commands, no TLS, nothing checked,
# nothing kept. It prints the milliseconds until all are up, and leaves nothing behind.
#   floor.sh IMAGE NAME     an image with systemd, docker and etcd; a name that nothing else has
set -euo pipefail
here=$(dirname "$0")
image=$1 name=$2
RIGHTS=$(bash "$here/boot.sh" rights "$image")
export RIGHTS

leave() {
  docker ps --all --quiet --filter "label=slipway-floor=$name" | xargs --no-run-if-empty docker rm --force --volumes >/dev/null
  docker network ls --quiet --filter "label=slipway-floor=$name" | xargs --no-run-if-empty docker network rm >/dev/null
}
trap leave EXIT

on() { local n=$1; shift; docker exec "$name-$n" "$@"; }
milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

begun=$(milliseconds)
bash "$here/boot.sh" nodes "$image" "$name" 5
address=('')
for n in 1 2 3 4 5; do
  address[n]=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$name-$n")
done
members="m1=http://${address[1]}:2380,m2=http://${address[2]}:2380,m3=http://${address[3]}:2380"
for n in 1 2 3; do
  on "$n" systemd-run --quiet --unit floor-etcd etcd --name "m$n" --data-dir /var/lib/slipway/etcd \
    --listen-peer-urls "http://${address[n]}:2380" --initial-advertise-peer-urls "http://${address[n]}:2380" \
    --listen-client-urls http://0.0.0.0:2379 --advertise-client-urls "http://${address[n]}:2379" \
    --initial-cluster "$members" --initial-cluster-state new &
done
for n in 1 2 3 4 5; do on "$n" systemctl start docker & done
wait
on 1 docker swarm init --advertise-addr "${address[1]}" >/dev/null
manager=$(on 1 docker swarm join-token --quiet manager)
worker=$(on 1 docker swarm join-token --quiet worker)
# Managers one after the other: two at once may lose the first one's quorum.
on 2 docker swarm join --token "$manager" "${address[1]}:2377" >/dev/null
on 3 docker swarm join --token "$manager" "${address[1]}:2377" >/dev/null
for n in 4 5; do on "$n" docker swarm join --token "$worker" "${address[1]}:2377" >/dev/null & done
wait
until [ "$(on 1 docker node ls --format '{{.Status}}' | grep --count Ready)" = 5 ]; do sleep 0.1; done
until on 1 etcdctl --endpoints "http://${address[1]}:2379,http://${address[2]}:2379,http://${address[3]}:2379" endpoint health >/dev/null 2>&1; do
  sleep 0.1
done
echo $(($(milliseconds) - begun))

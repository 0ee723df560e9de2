#!/bin/bash
# Makes a machine that nobody prepared out of this one, for whoever runs in this mount namespace: writes go to
# SCRATCH, and what an operator's first hour makes is not there yet. Then hands over to the reader's shell.
# In the environment: SCRATCH, CHECKOUT (where the repository is to be), ROOT (the repository), HOSTS (for /etc/hosts).
set -eu

mount -t tmpfs -o mode=755 tmpfs "$SCRATCH"

# over FOLDER NAME: what FOLDER has, to be written over.
over() {
  mkdir -p "$SCRATCH/$2/upper" "$SCRATCH/$2/work" "$SCRATCH/$2/merged"
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$SCRATCH/$2/upper,workdir=$SCRATCH/$2/work" "$SCRATCH/$2/merged"
}

over "$ROOT" checkout
for folder in /etc /opt /var/lib "$HOME"; do over "$folder" "${folder//\//-}"; done
for folder in /etc /opt /var/lib "$HOME"; do mount --bind "$SCRATCH/${folder//\//-}/merged" "$folder"; done
for folder in /run/wireguard /run/europa-host /run/reader /usr/local/share/ca-certificates; do
  mkdir -p "$folder"
  mount -t tmpfs -o mode=755 tmpfs "$folder"
done

mkdir -p "$CHECKOUT"
mount --bind "$SCRATCH/checkout/merged" "$CHECKOUT"
cd "$CHECKOUT"
rm -rf config secrets data .env dist
rm -rf /etc/wireguard /etc/europa-node /etc/caddy /etc/systemd/system/europa-node.service /var/lib/europa-node
mkdir /etc/caddy
printf '%s\n' "$HOSTS" >>/etc/hosts

# Blocks come through descriptor 3, ended by a zero byte; the shell ends with the first command that fails.
exec bash --norc -ec '
  while IFS= read -r -d "" -u 3 block; do
    eval "$block" 3<&-
    printf "\n%s\n" "$PROMPT"
  done
'

#!/bin/sh
# What whoever looks after the bot types: /usr/local/sbin/hidream-bot. It is the program, as the user
# that the bot runs as (else its files would get another owner), with the settings that it runs with.
set -eu
umask 077
PATH=$PATH:/usr/sbin:/sbin # where runuser is; cron's has neither
program=/opt/hidream-bot/bin/hidream-bot
case "${1:--h}" in
  -* | demo) set -- "$program" "$@" ;;
  *) command=$1 && shift && set -- "$program" "$command" --config /etc/hidream-bot/config.toml "$@" ;;
esac
if [ "$(id -un)" = hidream-bot ]; then exec "$@"; else exec runuser -u hidream-bot -- "$@"; fi

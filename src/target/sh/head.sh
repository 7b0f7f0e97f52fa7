#!/bin/sh
# shellcheck shell=dash
# Set and read by name through eval (A_, S_): SC2154, SC2034. Lists of /proc and of digests, no odd names: SC2012, SC2013,
# SC2045. `A && B || C` where B cannot fail: SC2015. Titles, not names, are looked for: SC2009. Programs of awk: SC2016.
# shellcheck disable=SC2154,SC2034,SC2012,SC2013,SC2045,SC2015,SC2009,SC2016
#
# nginx-hot-upgrade: what acts on the target. The runner decides, this acts: one verb is one whole step with its own
# waiting, may be asked twice, and answers one JSON record on a line of its own. Needs a base system and /proc, no more.
#
# Asked over standard input, after one line "nhu1 MARKER" (fields are separated by tabs):
#   ID  VERB  key=value  key=value ...
# Answered on standard output:
#   @MARKER {"v":1,"id":ID,"verb":VERB,"ok":true|false,...}
# Entries: `session` (answers until end of input), `once` (one request), `guard DIR`. The request `receive` is followed by the
# bytes of a binary, as many as it says.
#
# Numbers: times are tenths of a second of /proc/uptime (monotonic; mksh counts in 32 bits), start times and inodes are
# compared as strings only.

set -u
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
# nginx takes NGINX for a list of inherited sockets (ngx_add_inherited_sockets): never let one slip into a child.
unset NGINX ANGIE NGINX_BPF_MAPS ENV BASH_ENV CDPATH
# What is read from the output of ls, stat, grep and df must look the same everywhere.
unset TIME_STYLE QUOTING_STYLE LS_COLORS LS_BLOCK_SIZE BLOCK_SIZE BLOCKSIZE DF_BLOCK_SIZE POSIXLY_CORRECT GREP_OPTIONS
umask 077

VERSION=1
TAB='	'
NL='
'
LOOKS=0
SYNCING=0
SERIAL=0
TRASH=0
ROOM='' PROBE='' BINDS='' LIMIT='' ENTER='' VIEW='' AWAY='' BASE='' PREFIX='' STARTS='' BUILD='' MISSING='' MADE_BESIDE='' LEFT_THERE=''
MY_UID='' DIRECTIVES='' UNSURE=' ' S_unix='' MY_BOUNDS='' AS='' CAPABILITIES='' HEARD='' HEARD_EXIT='' PATIENCE='' READ_AS='' HAND='' LOGFILE='' LOG_PATH='' MADE='' SOCKETS="$NL" PLACES="$NL" READERS="$NL" CONFIG_BY=0 CONFIG_FILES='' CONFIG_WHOLE=0 MODULES_PLACE=several SHOWN='' OPT_G='' LEFT=1 EXPANDED='' OUR_DIRS="$NL" SERVICES="$NL" STEPS='' LISTS='' SETTLED='' UNSAFE='' LED=''
AFTER='' SUCCESSOR='' UNIT_STATE='' UNIT_MAIN='' UNIT_JOB='' WHY='' MANAGER=systemctl S_service='' OM='' S_om='' S_as='' S_session='' S_listen='' OLD_LISTED='' OLD_ADDR='' REPARKED=0 ROTATED='' POISONED=0 OUTCOME='' BROKEN='' TITLE_CUT=0 CHILDREN='' WORKERS='' STARTED='' ROLES=' ' ROLES_AT=-9 SEEN=' ' ACCEPTING=''
COVERED=0 L_FD='' L_DEC='' L_HEX='' DECISION='' DECISION_WHY='' NOW=0 PID_TEXT=''
WALL_UP=''
TERM_COUNT=0
EXTENDED_AT=0

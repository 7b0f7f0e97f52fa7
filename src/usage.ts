export const VERSION = '0.1.0';

export const HELP = `nginx-hot-upgrade COMMAND --input value ...

Replaces the nginx binary of running servers without losing a request, and puts the old one back when anything goes wrong.

Commands
  upgrade    stage, swap, prove, commit; or roll back
  plan       all checks, and what would be done; changes nothing
  build      only obtains the new nginx, with the targets' arguments or your own
  status     what runs on every target
  commit     ends a held upgrade for good
  rollback   back to the previous version, whatever the state
  helper     prints the program that acts on the targets

Every input of the action is an option of the same name (README): --targets, --binary, --health-url, ...
A value may be @FILE. A secret is read from @FILE, "-" (standard input), or NGINX_HOT_UPGRADE_KEY and
NGINX_HOT_UPGRADE_PASSPHRASE.

Example
  nginx-hot-upgrade upgrade --targets deploy@web1 --known-hosts @known_hosts --key @id_ed25519 \\
    --nginx-version stable --health-url http://127.0.0.1/`;

import { generateKeyPairSync } from 'node:crypto';
import { describe } from 'node:test';
import { noHosts } from '../support/hosts.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { configured, testRefusals, type RefusedCase } from '../support/refusals.ts';
import { webHost } from '../support/web-host.ts';

const newer = await nginxBuild('1.26.3');
const CONF = '/etc/nginx/nginx.conf';
const inServer = (line: string) => `sed -i 's,listen 80;,listen 80; ${line},' ${CONF}`;
const inHttp = (line: string) => `sed -i 's,access_log off;,access_log off; ${line},' ${CONF}`;
const reloaded = (script: string) => `${script}\nsystemctl restart nginx`;

const LOCKED_KEY = generateKeyPairSync('ed25519', {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
}).privateKey;

/** What is wrong with the configuration on disk. */
const REFUSED: RefusedCase[] = [
  { what: 'a configuration newer than the workers', host: configured('', 'just now'), codes: ['config-drift'] },
  {
    what: 'a broken configuration',
    host: configured(`echo 'nonsense on;' >>${CONF}`, 'just now'),
    codes: ['config-drift', 'config-test-failed'],
  },
  {
    what: 'an address that was added, however old the file pretends to be',
    host: configured(inServer('listen 8080;'), 'long ago'),
    codes: ['listen-changed'],
  },
  {
    what: 'an address that was removed',
    host: `${reloaded(inServer('listen 8080;'))}; ${configured(`sed -i 's/listen 8080;//' ${CONF}`, 'just now')}`,
    codes: ['listen-changed'],
  },
  {
    what: 'a unix socket that was removed',
    host: `${reloaded(inServer('listen unix:/run/app.sock;'))}; ${configured(`sed -i 's/listen unix[^;]*;//' ${CONF}`, 'just now')}`,
    codes: ['unix-listen-removed'],
  },
  {
    what: 'reuseport with fewer workers than sockets',
    host: `${reloaded(`sed -i 's/listen 80;/listen 80 reuseport;/' ${CONF}`)}
      ${configured(`sed -i 's/worker_processes 2/worker_processes 1/' ${CONF}`, 'long ago')}`,
    codes: ['reuseport-fewer-workers'],
  },
  {
    what: 'QUIC, which this binary cannot do either',
    host: configured(inServer('listen 8443 quic;'), 'long ago'),
    codes: ['config-test-failed', 'quic'],
  },
  {
    what: 'a private key with a passphrase',
    host: `cat >/etc/nginx/a.key <<'END'
${LOCKED_KEY}END
      ${configured(inHttp('ssl_certificate a.pem; ssl_certificate_key a.key;'), 'long ago')}`,
    codes: ['config-test-failed', 'passphrase-key'],
  },
  {
    what: '`master_process off`',
    host: configured(`sed -i '1i master_process off;' ${CONF}`, 'long ago'),
    codes: ['master-process-off'],
  },
];

describe('preflight of the configuration', { skip: noHosts(), timeout: 240_000 }, () => {
  testRefusals(webHost('preflight-config'), REFUSED, { binary: newer });
});

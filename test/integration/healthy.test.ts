import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { installDebianNginx } from '../support/debian-nginx.ts';
import { noHosts } from '../support/hosts.ts';
import { nginxBuild } from '../support/nginx-builds.ts';
import { quick } from '../support/product.ts';
import { untouched } from '../support/untouched.ts';
import { webHost } from '../support/web-host.ts';

const newer = await nginxBuild('1.26.3');

describe('a host that is as it should be', { skip: noHosts(), timeout: 120_000 }, () => {
  const web = webHost('healthy');

  const plan = (binary: string) => untouched(web, () => web.product.run('plan', '--binary', binary, ...quick()));
  const noted = (codes: { code: string }[]) => codes.map(({ code }) => code).sort();

  test('with a build from source is not refused, nor warned of anything', async () => {
    const { code, report, host, output } = await plan(newer);
    assert.deepEqual(
      [code, report.outcome, noted(host.refusals), noted(host.warnings)],
      [0, 'planned', [], []],
      output,
    );
  });

  test("with the distribution's nginx is not refused for itself, only for modules of another version", async () => {
    await installDebianNginx(web);
    const { host, output } = await plan(newer);
    assert.deepEqual(noted(host.refusals), ['module-signature'], output);
    assert.match(host.refusals[0]?.message ?? '', /ngx_http_echo_module\.so.*ngx_stream_module\.so/);
    assert.match(host.refusals[0]?.fix ?? '', /`echo=path`/);
    for (const code of ['package-owned', 'module-lost', 'hardening-lost'])
      assert.ok(noted(host.warnings).includes(code), `${code} among ${noted(host.warnings).join(', ')}`);

    await web.sh(
      'rm /etc/nginx/modules-enabled/*; rm /etc/nginx/sites-enabled/default; touch -d yesterday /etc/nginx/nginx.conf',
    );
    await web.sh(`printf 'server { listen 80; location / { return 200 ok; add_header X-Nginx $nginx_version; } }' >/etc/nginx/conf.d/a.conf
      systemctl restart nginx`);
    const plain = await plan(newer);
    assert.deepEqual([plain.report.outcome, noted(plain.host.refusals)], ['planned', []], plain.output);
  });

  test('that is busy is told of with numbers', async () => {
    const connections = `for i in 1 2 3 4 5; do (exec 3<>/dev/tcp/127.0.0.1/80; printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' >&3; sleep 20) & done`;
    await web.run(`exec timeout 30 bash -c ${JSON.stringify(`${connections}; sleep 1`)} >/dev/null 2>&1 </dev/null`);
    const { host } = await web.product.run('plan', '--binary', newer, ...quick());
    const told = host.warnings.find(({ code }) => code === 'keepalive-resets');
    assert.match(told?.message ?? '', /^[5-9] connections are open/);
    assert.deepEqual(noted(host.warnings), ['keepalive-resets', 'long-connections']);
    await web.run('pkill -f dev/tcp');
  });
});

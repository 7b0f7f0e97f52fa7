import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseBuildInfo } from '../../src/nginx/build-info.ts';
import { sourceFile } from '../support/debian-archive.ts';
import { installDebianNginx } from '../support/debian-nginx.ts';
import { noHosts } from '../support/hosts.ts';
import { sourceMirror } from '../support/mirror.ts';
import { productFor, quick, type Finished } from '../support/product.ts';
import { underLoad, webHost } from '../support/web-host.ts';

const MODULES = '/usr/lib/nginx/modules/ngx_stream_module.so /usr/lib/nginx/modules/ngx_http_echo_module.so';
const DIGESTS = `sha256sum ${MODULES}; ls -A /usr/lib/nginx/modules`;

describe('an upgrade that builds nginx itself', { skip: noHosts(), timeout: 900_000 }, () => {
  const web = webHost('build');

  const argumentsThere = async () => parseBuildInfo(await web.sh('nginx -V 2>&1')).arguments;
  const mustEnd = ({ code, report, output }: Finished, outcome: string) =>
    assert.deepEqual([code, report.outcome], [0, outcome], output);

  test("gives a distribution's nginx its successor, with the same arguments and with its modules", async () => {
    await installDebianNginx(web);
    const { url } = await sourceMirror();
    const from = { package: 'libnginx-mod-http-echo', suite: 'bookworm' } as const;
    const echo = await sourceFile('libnginx-mod-http-echo_0.63.orig.tar.gz', from);
    const [args, digests] = [await argumentsThere(), await web.sh(DIGESTS)];
    const words = ['--nginx-version', '1.26.3', '--source-url', url, ...quick()];

    const refused = await web.product.run('upgrade', ...words);
    assert.deepEqual(
      refused.host.refusals.map(({ code, fix }) => [code, fix.includes('echo=')]),
      [['module-source-missing', true]],
      refused.output,
    );

    const { value } = await underLoad(web, () =>
      web.product.run('upgrade', ...words, '--add-modules', `echo=${echo}`, '--rehearse'),
    );
    mustEnd(value, 'upgraded');
    assert.match(value.output, /Rehearsed: /);
    assert.match(value.output, /configure arguments: all \d+ are the same/);
    assert.deepEqual(await argumentsThere(), args);
    assert.equal(await web.sh('curl -s http://127.0.0.1/echo'), 'from a module');
    assert.notEqual(await web.sh(DIGESTS), digests);
    await web.sh('nginx -t');
    await web.atRest({ sha256: value.host.sha256 ?? '', committed: true });

    const back = await underLoad(web, () => web.product.run('rollback', ...quick()));
    mustEnd(back.value, 'rolled-back');
    assert.equal(await web.sh(DIGESTS), digests);
    await web.atRest();
    await web.sh('nginx -t && systemctl restart nginx');
    assert.equal(await web.sh('curl -s http://127.0.0.1/echo'), 'from a module');
  });

  test('gives a build from source its successor, the second time from the cache, and without a cache the same bytes', async () => {
    const { url } = await sourceMirror();
    const args = await argumentsThere();
    const words = ['--nginx-version', 'stable', '--source-url', url, ...quick()];

    const planned = await web.product.run('plan', ...words);
    mustEnd(planned, 'planned');
    assert.match(planned.output, /Not judged without a binary/);

    const first = await underLoad(web, () => web.product.run('upgrade', ...words));
    mustEnd(first.value, 'upgraded');
    assert.match(first.value.output, /signed by Sergey Kandaurov .*D6786CE303D9A9022998DC6CC8464D549AF75C0A/);
    assert.match(first.value.output, /built nginx 1\.26\.3 in/);
    assert.deepEqual(await argumentsThere(), args);
    await web.atRest({ sha256: first.value.host.sha256 ?? '', committed: true });

    const second = await web.product.run('upgrade', ...words);
    mustEnd(second, 'unchanged');
    assert.match(second.output, /from the cache/);
    assert.doesNotMatch(second.output, /built nginx/);

    const elsewhere = await productFor(web).run('upgrade', ...words);
    mustEnd(elsewhere, 'unchanged');
    assert.match(elsewhere.output, /built nginx 1\.26\.3 in/);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ArgsPlan } from '../../../src/build/arguments.ts';
import { sourcesMissing } from '../../../src/build/loaded-modules.ts';
import type { ModuleSource } from '../../../src/config.ts';

const OWN = [
  '--with-stream=dynamic',
  '--with-mail=dynamic',
  '--with-http_xslt_module=dynamic',
  '--with-http_image_filter_module=dynamic',
  '--with-http_geoip_module=dynamic',
  '--with-stream_geoip_module=dynamic',
  '--with-http_perl_module=dynamic',
  '--with-http_ssl_module',
];

function planOf(changes: Partial<ArgsPlan> = {}): ArgsPlan {
  return { args: OWN, changes: [], placed: [], unplaced: [], ...changes };
}

function named(...names: string[]): ModuleSource[] {
  return names.map((name) => ({ name, from: `/sources/${name}` }));
}

function file(name: string): string {
  return `/usr/lib/nginx/modules/${name}.so`;
}

describe('sourcesMissing', () => {
  for (const name of [
    'ngx_stream_module',
    'ngx_mail_module',
    'ngx_http_xslt_filter_module',
    'ngx_http_image_filter_module',
    'ngx_http_geoip_module',
    'ngx_stream_geoip_module',
    'ngx_http_perl_module',
  ]) {
    it(`does not miss nginx's own ${name}, which the arguments make`, () => {
      assert.equal(sourcesMissing([file(name)], planOf()), undefined);
    });
  }

  it("misses one of nginx's own that the arguments do not make as a file", () => {
    assert.match(
      sourcesMissing([file('ngx_stream_module')], planOf({ args: ['--with-stream'] }))?.message ?? '',
      /stream/,
    );
  });

  it('misses nothing where nothing is loaded, or nobody says what a source would be for', () => {
    assert.equal(sourcesMissing([], planOf()), undefined);
    assert.equal(sourcesMissing([], planOf({ unplaced: named('echo') })), undefined);
  });

  it('misses the modules of others, each by its path, and says what to write', () => {
    const loaded = [
      file('ngx_http_echo_module'),
      file('ngx_stream_module'),
      file('ngx_http_headers_more_filter_module'),
    ];
    const finding = sourcesMissing(loaded, planOf());
    assert.equal(finding?.code, 'module-source-missing');
    assert.ok(finding.message.includes(`loads ${loaded[0]}, ${loaded[2]};`), finding.message);
    assert.match(finding.fix, /: `echo=\/path\/to\/sources`, `headers-more=\/path\/to\/sources`;/);
  });

  it('names a module by its file where nothing in that is characteristic', () => {
    assert.match(sourcesMissing([file('ngx_http_module')], planOf())?.fix ?? '', /`ngx_http_module=\/path/);
  });

  const covered: [name: string, where: 'placed' | 'unplaced'][] = [
    ['echo', 'placed'],
    ['echo', 'unplaced'],
    ['echo-nginx-module-0.63', 'unplaced'],
    ['libnginx-mod-http-echo', 'unplaced'],
  ];
  for (const [name, where] of covered) {
    it(`is content with a source ${name} that is ${where}`, () => {
      assert.equal(sourcesMissing([file('ngx_http_echo_module')], planOf({ [where]: named(name) })), undefined);
    });
  }

  it('misses what none of the sources is for', () => {
    const loaded = [file('ngx_http_echo_module'), file('ngx_http_geoip2_module')];
    const finding = sourcesMissing(loaded, planOf({ unplaced: named('echo') }));
    assert.match(finding?.message ?? '', /loads \/usr\/lib\/nginx\/modules\/ngx_http_geoip2_module\.so;/);
  });

  it('is not confused by a source that is linked in and makes no file', () => {
    const loaded = [file('ngx_http_echo_module'), file('ngx_http_geoip2_module')];
    const [echo, own] = [named('echo'), named('our-own')];
    const linked = planOf({ args: [...OWN, '--add-module=modules/our-own'], placed: own, unplaced: echo });
    assert.match(
      sourcesMissing(loaded, linked)?.message ?? '',
      /loads \/usr\/lib\/nginx\/modules\/ngx_http_geoip2_module\.so;/,
    );
    const loadable = planOf({ args: [...OWN, '--add-dynamic-module=modules/our-own'], placed: own, unplaced: echo });
    assert.equal(sourcesMissing(loaded, loadable), undefined);
  });

  it('is silent where the name of a source does not tell what comes of it', () => {
    const loaded = [file('ngx_http_echo_module'), file('ngx_http_geoip2_module')];
    assert.equal(sourcesMissing(loaded, planOf({ unplaced: named('echo', 'our-own') })), undefined);
  });
});

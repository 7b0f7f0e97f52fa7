import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { featuresIn, leftOut, moduleCore } from '../../../src/nginx/modules.ts';

describe('featuresIn', () => {
  it('finds what is switched on, as a part of the program or as a file of its own', () => {
    const args = [
      '--with-http_ssl_module',
      '--with-stream=dynamic',
      '--with-threads',
      '--with-cc-opt=-O2',
      '--prefix=/p',
    ];
    assert.deepEqual(featuresIn(args), [
      { name: '--with-http_ssl_module', dynamic: false },
      { name: '--with-stream', dynamic: true },
      { name: '--with-threads', dynamic: false },
    ]);
  });

  it('names third-party modules by the last part of their path', () => {
    assert.deepEqual(featuresIn(['--add-module=/a/b/echo', '--add-dynamic-module=../headers-more-0.37']), [
      { name: 'module echo', dynamic: false },
      { name: 'module headers-more-0.37', dynamic: true },
    ]);
  });
});

describe('leftOut', () => {
  it('finds what is in by default and was switched off', () => {
    assert.deepEqual(leftOut(['--without-http_gzip_module', '--without-pcre2', '--with-threads']), [
      '--without-http_gzip_module',
    ]);
  });
});

describe('moduleCore', () => {
  const NAMES: [core: string, ...names: string[]][] = [
    [
      'echo',
      'ngx_http_echo_module',
      'echo-nginx-module-0.63',
      'http-echo',
      '/x/libnginx-mod-http-echo',
      'ngx_http_echo_module.so',
    ],
    [
      'headers-more',
      'headers-more-nginx-module',
      'ngx_http_headers_more_filter_module.so',
      'http-headers-more-filter-0.37',
    ],
    ['geoip2', 'ngx_http_geoip2_module', 'ngx_stream_geoip2_module.so'],
    ['devel-kit', 'ngx_devel_kit-0.3.3'],
  ];
  for (const [core, ...names] of NAMES) {
    it(`is ${core} for ${names.join(', ')}`, () => {
      for (const name of names) assert.equal(moduleCore(name), core);
    });
  }
});

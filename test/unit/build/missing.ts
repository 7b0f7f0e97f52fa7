/** What configure (auto/ of nginx 1.26.3, `config` of the modules) and a compiler print where something is not there. */
export const MISSING: [what: string, packages: string, output: string][] = [
  [
    'a C compiler',
    'gcc libc6-dev',
    'checking for C compiler ... not found\n\n./configure: error: C compiler cc is not found\n',
  ],
  ['make', 'make', '/bin/sh: 1: make: not found\n'],
  [
    'the PCRE2 library',
    'libpcre2-dev',
    `checking for PCRE2 library ... not found
checking for PCRE library ... not found

./configure: error: the HTTP rewrite module requires the PCRE library.
You can either disable the module by using --without-http_rewrite_module
option, or install the PCRE library into the system, or build the PCRE library
statically from the source with nginx by using --with-pcre=<path> option.
`,
  ],
  [
    'the zlib library',
    'zlib1g-dev',
    `checking for zlib library ... not found

./configure: error: the HTTP gzip module requires the zlib library.
You can either disable the module by using --without-http_gzip_module
option, or install the zlib library into the system, or build the zlib library
statically from the source with nginx by using --with-zlib=<path> option.
`,
  ],
  [
    'the OpenSSL library',
    'libssl-dev',
    `checking for OpenSSL library in /usr/local/ ... not found

./configure: error: SSL modules require the OpenSSL library.
You can either do not enable the modules, or install the OpenSSL library
into the system, or build the OpenSSL library statically from the source
with nginx by using --with-openssl=<path> option.
`,
  ],
  [
    'the libxml2 and libxslt libraries',
    'libxslt1-dev',
    `checking for libxslt ... not found

./configure: error: the HTTP XSLT module requires the libxml2/libxslt
libraries. You can either do not enable the module or install the libraries.
`,
  ],
  [
    'the GD library',
    'libgd-dev',
    `checking for GD library ... not found

./configure: error: the HTTP image filter module requires the GD library.
You can either do not enable the module or install the libraries.
`,
  ],
  [
    'the GeoIP library',
    'libgeoip-dev',
    `checking for GeoIP library ... not found

./configure: error: the GeoIP module requires the GeoIP library.
You can either do not enable the module or install the library.
`,
  ],
  [
    'perl with its headers',
    'libperl-dev',
    `checking for perl
 + perl version: v5.36.0

./configure: error: perl module ExtUtils::Embed is required
`,
  ],
  [
    'perl with its headers',
    'libperl-dev',
    'checking for perl\n\n./configure: error: perl 5.8.6 or higher is required\n',
  ],
  [
    'gperftools',
    'libgoogle-perftools-dev',
    `checking for Google perftools ... not found

./configure: error: the Google perftools module requires the Google perftools
library. You can either do not enable the module or install the library.
`,
  ],
  [
    'libatomic_ops',
    'libatomic-ops-dev',
    'checking for atomic_ops library ... not found\n\n./configure: error: libatomic_ops library was not found.\n',
  ],
  [
    'libmaxminddb',
    'libmaxminddb-dev',
    `adding module in modules/geoip2
checking for MaxmindDB library ... not found
./configure: error: the geoip2 module requires the maxminddb library.
`,
  ],
  [
    'LuaJIT',
    'libluajit-5.1-dev',
    `adding module in modules/lua
checking for LuaJIT library in /usr/ ... not found
    ./configure: error: ngx_http_lua_module requires the LuaJIT library.
`,
  ],
  ...[
    'requires the LuaJIT library, but it could not be found where specified (LUAJIT_LIB=/x, LUAJIT_INC=/y).',
    'requires the Lua library.',
    'requires the Lua or LuaJIT library and LUA_LIB is defined as /x, but we cannot find standard Lua there.',
    'requires LuaJIT 2.x.',
    'requires Lua 5.1.',
  ].map((said): (typeof MISSING)[number] => [
    'LuaJIT',
    'libluajit-5.1-dev',
    `    ./configure: error: ngx_http_lua_module ${said}\n`,
  ]),
];

/** What the compiler says where the headers went after configure saw them, or where configure did not look. */
export const HEADERS: [header: string, what: string][] = [
  ['pcre2.h', 'the PCRE2 library'],
  ['pcre.h', 'the PCRE2 library'],
  ['zlib.h', 'the zlib library'],
  ['openssl/ssl.h', 'the OpenSSL library'],
  ['perl.h', 'perl with its headers'],
  ['maxminddb.h', 'libmaxminddb'],
  ['lua.h', 'LuaJIT'],
  ['luajit.h', 'LuaJIT'],
  ['lualib.h', 'LuaJIT'],
  ['lauxlib.h', 'LuaJIT'],
];

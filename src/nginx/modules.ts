import { posix } from 'node:path';
import { type ConfigureArgs, nameOf, valueOf } from './configure-args.ts';

/** A part of nginx that an argument of `configure` switches on (or off, where it is in by default). */
export interface Feature {
  /** The argument without its value, such as `--with-http_ssl_module`; third-party modules with their last path part. */
  name: string;
  /** As a file of its own that `load_module` loads. */
  dynamic: boolean;
}

const THIRD_PARTY = /^--add(-dynamic)?-module$/;
const SWITCHED_ON = /^--with-(?:[a-z0-9_]+_module|stream|mail|threads|file-aio|compat|debug|pcre-jit)$/;

/** Everything that the arguments switch on. */
export function featuresIn(args: ConfigureArgs): Feature[] {
  return args.flatMap((arg) => {
    const name = nameOf(arg);
    const third = THIRD_PARTY.exec(name);
    if (third !== null) {
      return [{ name: `module ${posix.basename(valueOf(arg) ?? '')}`, dynamic: third[1] !== undefined }];
    }
    return SWITCHED_ON.test(name) ? [{ name, dynamic: valueOf(arg) === 'dynamic' }] : [];
  });
}

/** What is in by default and was left out: `--without-http_gzip_module`. */
export function leftOut(args: ConfigureArgs): string[] {
  return args.map(nameOf).filter((name) => /^--without-[a-z0-9_]+_module$/.test(name));
}

/** What is characteristic of a third-party module's name: `echo` of ngx_http_echo_module, http-echo or echo-nginx-module-0.63. */
export function moduleCore(name: string): string {
  const words = posix
    .basename(name)
    .toLowerCase()
    .replace(/\.so$/, '')
    .replace(/[-_]v?\d[\d.]*$/, '')
    .split(/[-_]/)
    .filter((word) => !/^(ngx|nginx|libnginx|mod|module|http|stream|filter|dynamic|)$/.test(word));
  return words.join('-');
}

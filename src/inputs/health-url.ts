import { bad, good, type Checked } from './checked.ts';
import { suggestion } from './nearest.ts';
import { hasInvisible, show } from './show.ts';

const LONGEST = 2048;

/** An http(s) URL in which `{host}` stands for the target's name, as given; `{host}` is not filled in. */
export function parseHealthUrl(text: string): Checked<string> {
  const mistake = textMistake(text) ?? templateMistake(text) ?? urlMistake(text);
  return mistake === undefined ? good(text) : bad(mistake);
}

/** The URL as it will be for one target; undefined where that makes no valid URL. */
export function fillHost(url: string, host: string): URL | undefined {
  const filled = url.replaceAll('{host}', host.includes(':') ? `[${host}]` : host);
  return URL.canParse(filled) ? new URL(filled) : undefined;
}

function textMistake(text: string): string | undefined {
  if (text.length > LONGEST) return `a URL has at most ${LONGEST} characters, found ${text.length}`;
  if (hasInvisible(text) || /\s/.test(text)) {
    return `expected one URL without spaces or invisible characters, found ${show(text)}`;
  }
  if (!/^https?:\/\//i.test(text)) return `expected a URL that starts with http:// or https://, found ${show(text)}`;
  return undefined;
}

function templateMistake(text: string): string | undefined {
  const variable = /\$\{?\{?[A-Za-z_][^}/]*\}?\}?/.exec(text)?.[0];
  if (variable !== undefined) return `holds a variable that nothing replaced: ${show(variable)}`;
  const unknown = text.match(/\{[^}]*\}?/g)?.find((part) => part !== '{host}');
  if (unknown === undefined) return undefined;
  const near = suggestion(unknown.replaceAll(/[{}]/g, ''), ['host']).replace('"host"', '"{host}"');
  return `{host} is the only placeholder, found ${show(unknown)}.${near}`;
}

function urlMistake(text: string): string | undefined {
  const url = fillHost(text, 'host.example');
  if (url === undefined) return `expected a valid URL, found ${show(text)}`;
  if (url.username !== '' || url.password !== '') {
    return `no credentials in URLs: use "health-headers" (Authorization: …), found ${show(text)}`;
  }
  if (text.includes('#')) return `"#…" is never sent to a server: leave it out, found ${show(text)}`;
  return undefined;
}

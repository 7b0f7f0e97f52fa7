const require_rolldown_runtime = require("./rolldown-runtime.cjs");
const require_errors = require("./errors.cjs");
let node_os = require("node:os");
let node_net = require("node:net");
let node_stream = require("node:stream");
let node_util = require("node:util");
let node_events = require("node:events");
let node_zlib = require("node:zlib");
let node_perf_hooks = require("node:perf_hooks");
let node_crypto = require("node:crypto");
let node_url = require("node:url");
let node_fs_promises = require("node:fs/promises");
let node_path = require("node:path");
let node_timers_promises = require("node:timers/promises");
let node_fs = require("node:fs");
let node_vm = require("node:vm");
let node_dns_promises = require("node:dns/promises");

// src/config.ts
/** What a run was asked to do: the typed form of every input. Made only by `inputs/parse.ts`. */
const COMMANDS = [
	"build",
	"plan",
	"upgrade",
	"commit",
	"rollback",
	"status"
];

// src/binary/elf-layout.ts
const SEGMENT = {
	load: 1,
	dynamic: 2,
	interpreter: 3
};
function layoutOf(file) {
	const wide = file[4] === 2;
	const little = file[5] === 1;
	const u32 = (offset) => little ? file.readUInt32LE(offset) : file.readUInt32BE(offset);
	return {
		wide,
		u16: (offset) => little ? file.readUInt16LE(offset) : file.readUInt16BE(offset),
		u32,
		word: (offset) => {
			if (!wide) return u32(offset);
			return Number(little ? file.readBigUInt64LE(offset) : file.readBigUInt64BE(offset));
		}
	};
}
/** The program header table (elf(5)); null where the file ends before it does. */
function segmentsOf(file, { wide, u16, u32, word }) {
	const table = word(wide ? 32 : 28);
	const size = u16(wide ? 54 : 42);
	const count = u16(wide ? 56 : 44);
	if (size < (wide ? 56 : 32) || table + size * count > file.length) return null;
	return Array.from({ length: count }, (_, index) => {
		const start = table + size * index;
		return {
			type: u32(start),
			offset: word(start + (wide ? 8 : 4)),
			address: word(start + (wide ? 16 : 8)),
			size: word(start + (wide ? 32 : 16))
		};
	});
}

// src/binary/elf.ts
/** Bytes from the start of a file that `readElf` needs. */
const ELF_HEAD = 65536;
const MACHINES = {
	3: "i686",
	8: "mips",
	20: "ppc",
	21: "ppc64",
	22: "s390x",
	40: "arm",
	62: "x86_64",
	183: "aarch64",
	243: "riscv64",
	258: "loongarch64"
};
/**
* Reads the head of a file (the first `ELF_HEAD` bytes or all of it).
* Returns a clause such as "a shell script" where it is no program that Linux could run.
*/
function readElf(head) {
	if (head.length === 0) return "an empty file";
	if (head.toString("latin1", 0, 4) !== "ELF") return describe$3(head);
	const wide = head[4] === 2;
	if (head.length < (wide ? 64 : 52)) return "an ELF file that is cut off";
	if (head[4] !== 1 && !wide || head[5] !== 1 && head[5] !== 2) return "a damaged ELF file";
	return readProgram(head, layoutOf(head));
}
function readProgram(head, layout) {
	const type = layout.u16(16);
	if (type === 1) return "an object file (.o), not a linked program";
	if (type === 4) return "a core dump";
	if (type !== 2 && type !== 3) return "a damaged ELF file";
	const segments = segmentsOf(head, layout);
	const interpreter = segments === null ? null : interpreterOf(head, segments);
	if (segments === null || interpreter === null) return "an ELF file that is cut off";
	if (!segments.some((segment) => segment.type === SEGMENT.load)) return "a damaged ELF file: it has nothing to load";
	const entry = layout.word(24);
	if (interpreter === void 0 && entry === 0) return "a shared library (a dynamic module?), not a program";
	const machine = layout.u16(18);
	return {
		class: layout.wide ? 64 : 32,
		machine: MACHINES[machine] ?? `machine ${machine}`,
		...interpreter === void 0 ? {} : { interpreter }
	};
}
/** Undefined where it asks for none, null where the file ends before it. */
function interpreterOf(head, segments) {
	const named = segments.find(({ type }) => type === SEGMENT.interpreter);
	if (named === void 0) return void 0;
	if (named.offset + named.size > head.length) return null;
	return head.toString("latin1", named.offset, named.offset + named.size).replace(/\0.*$/s, "");
}
/** Beginnings in hexadecimal. */
const MAGIC$1 = [
	["2321", "a script, not a program: a wrapper would be running instead of nginx"],
	["4d5a", "a Windows program"],
	["cffaedfe", "a macOS program"],
	["cafebabe", "a macOS program"],
	["1f8b", "an archive (gzip): unpack it first"],
	["fd377a58", "an archive (xz): unpack it first"],
	["28b52ffd", "an archive (zstd): unpack it first"],
	["504b0304", "an archive (zip): unpack it first"],
	["213c617263683e0a64656269616e", "a Debian package: unpack it first (\"dpkg-deb -x\")"],
	["edabeedb", "an RPM package: unpack it first (\"rpm2cpio\")"]
];
function describe$3(head) {
	const start = head.toString("hex", 0, 32);
	return MAGIC$1.find(([bytes]) => start.startsWith(bytes))?.[1] ?? describeText(head.toString("latin1", 0, 512));
}
function describeText(text) {
	if (/^\s*<(?:!doctype|html|\?xml)/i.test(text)) return "an HTML page: did a download end in an error page?";
	if (text.startsWith("version https://git-lfs")) return "a Git LFS pointer: check out with LFS";
	return /^[\s\x20-\x7e]+$/.test(text) ? "a text file" : "not an ELF file";
}

// src/inputs/checked.ts
function good(value, notes = []) {
	return {
		ok: true,
		value,
		notes
	};
}
function bad(...problems) {
	return {
		ok: false,
		problems
	};
}
/** Reads every item and gathers all problems, not only the first. */
function all(items, parse) {
	const checked = items.map((item) => parse(item));
	const problems = problemsOf(checked);
	if (problems.length > 0) return bad(...problems);
	const fine = checked.filter((one) => one.ok);
	return good(fine.map((one) => one.value), fine.flatMap((one) => one.notes));
}
function problemsOf(checked) {
	return checked.flatMap((one) => one.ok ? [] : one.problems);
}
/** Goes on with a good value; a bad one stays as it is. */
function andThen(checked, next) {
	if (!checked.ok) return checked;
	const after = next(checked.value);
	return after.ok ? good(after.value, [...checked.notes, ...after.notes]) : after;
}

// src/inputs/show.ts
const LONGEST$7 = 80;
/** Everything that a terminal or a log viewer would not show as itself. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;
/**
* A value as it may stand in a message: quoted, on one line, at most 80 characters, nothing invisible, no credentials of
* a URL, no private key, no workflow command.
*/
function show(value) {
	if (value.includes("PRIVATE KEY")) return "(a private key, not shown)";
	const safe = value.split("\n").map(hideCredentials).join("\n");
	let shown = "";
	for (const character of safe) {
		const next = escape(character);
		if (shown.length + next.length > LONGEST$7) return `"${breakCommand(shown)}…"`;
		shown += next;
	}
	return `"${breakCommand(shown)}"`;
}
/** A name that somebody made up, as it may stand at the start of a line. */
function label(name) {
	return /^[\w.-]{1,80}$/.test(name) ? name : show(name);
}
/** True where the text holds a character that cannot be seen: control, zero-width, text direction, lone surrogate. */
function hasInvisible(text) {
	return INVISIBLE.test(text);
}
function hideCredentials(line) {
	const end = line.lastIndexOf("@");
	const scheme = line.indexOf("://");
	const start = scheme >= 0 && scheme < end ? scheme + 3 : 0;
	const login = start === 0 || /^(?:.*[^a-z])?ssh:\/\/$/i.test(line.slice(0, start));
	if (end < 0 || login && !line.slice(start, end).includes(":")) return line;
	if (start > 0 && URL.canParse(line.slice(line.lastIndexOf("=", scheme) + 1)) && /[/?#]/.test(line.slice(start, end))) {
		const at = (line.slice(start).split(/[/?#]/, 1)[0] ?? "").lastIndexOf("@");
		return at < 0 ? line : `${line.slice(0, start)}***${line.slice(start + at)}`;
	}
	return `${line.slice(0, start)}***${line.slice(end)}`;
}
function escape(character) {
	if (character === "\"" || character === "\\") return `\\${character}`;
	if (character === "\n") return "\\n";
	if (character === "\r") return "\\r";
	if (character === "	") return "\\t";
	if (!INVISIBLE.test(character)) return character;
	return `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`;
}
function breakCommand(text) {
	return text.replaceAll("##[", String.raw`#\u{23}[`);
}

// src/inputs/digest.ts
/** A SHA-256 digest: 64 hexadecimal digits, as lower case; a `sha256:` prefix is taken off. */
function parseSha256(text) {
	const digits = text.replace(/^sha256:/i, "").toLowerCase();
	if (/^0{64}$/.test(digits)) return bad("all 64 digits are 0: that is a placeholder, not a digest");
	if (/^[0-9a-f]{64}$/.test(digits)) return good(digits);
	return bad(`expected the 64 hexadecimal digits of a SHA-256 digest, found ${describe$2(digits, text)}`);
}
function describe$2(digits, text) {
	if (/^[0-9a-f]{128}$/.test(digits)) return "128 digits (a SHA-512 digest?)";
	if (/^[0-9a-f]{40}$/.test(digits)) return "40 digits (a SHA-1 digest?)";
	if (/^[0-9a-f]+$/.test(digits)) return `${digits.length} digits`;
	if (/^[0-9a-f]{64}\s/.test(digits)) return "more text after the digest: leave the file name out";
	return show(text);
}

// src/inputs/path.ts
const LONGEST$6 = 4096;
/** The absolute path of a file on a target. Taken literally: spaces, quotes, `$` and `*` have no meaning. */
function parseTargetPath(text) {
	const shape = commonMistake(text);
	if (shape !== void 0) return bad(shape);
	if (text.startsWith("~")) return bad(`"~" is not expanded: write the whole absolute path, found ${show(text)}`);
	if (!text.startsWith("/")) return bad(`expected an absolute path such as /run/nginx.pid, found ${show(text)}`);
	if (text.split("/").includes("..")) return bad(`must not contain "..", found ${show(text)}`);
	if (text.endsWith("/")) return bad(`expected a file, found the directory ${show(text)}`);
	return good(node_path.posix.normalize(text));
}
/** The path of a file on this machine; a relative one starts in the working directory. */
function parseLocalPath(text) {
	const shape = commonMistake(text);
	if (shape !== void 0) return bad(shape);
	if (text.startsWith("~/")) return bad(`"~" is not expanded: write the whole path, found ${show(text)}`);
	return good(node_path.posix.resolve(text));
}
function commonMistake(text) {
	if (Buffer.byteLength(text) > LONGEST$6) return `a path has at most ${LONGEST$6} bytes, found ${Buffer.byteLength(text)}`;
	if (hasInvisible(text)) return `expected one path without control or invisible characters, found ${show(text)}`;
}
const CAUSES = {
	ENOENT: "there is no file",
	ENOTDIR: "a part of the path is not a directory:",
	EACCES: "may not be read by this user:",
	ELOOP: "is a circle of symbolic links:",
	ENAMETOOLONG: "the path is too long:"
};
/** Why a path of this machine cannot be used, as the file system says it. */
function unreadable(error, shown) {
	const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
	return `${CAUSES[code] ?? `cannot be read (${code}):`} ${shown}`;
}

// src/usage.ts
const VERSION$1 = "0.1.0";
const HELP = `nginx-hot-upgrade COMMAND --input value ...

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

// src/obtain/refusal.ts
/** The new nginx cannot be had, or must not be: said before any host is touched. */
function refuse(code, message, fix) {
	return new require_errors.Refused([{
		code,
		message,
		fix
	}]);
}

// src/obtain/fetch.ts
const TRIES = 3;
const MOST_REDIRECTS = 3;
/** Undefined where there is no such file. Throws Refused (`download-failed`). */
async function fetchOrNothing(url, options) {
	const address = new URL(url);
	return address.protocol === "file:" ? readLocal(address, options) : download(address, options);
}
/** Throws Refused (`download-failed`), also where there is no such file. */
async function fetchBytes(url, options) {
	const bytes = await fetchOrNothing(url, options);
	if (bytes !== void 0) return bytes;
	throw failed(options, `expected it at ${url}; there is no such file`);
}
function sha256Of(bytes) {
	return (0, node_crypto.createHash)("sha256").update(bytes).digest("hex");
}
async function readLocal(address, options) {
	try {
		const path = (0, node_url.fileURLToPath)(address);
		const found = await (0, node_fs_promises.stat)(path);
		if (!found.isFile()) throw failed(options, `expected a file at ${path}; found something else`);
		if (found.size > options.limit) throw failed(options, tooLarge(path, options.limit));
		return await (0, node_fs_promises.readFile)(path);
	} catch (error) {
		if (error instanceof require_errors.Refused) throw error;
		if (error instanceof Error && "code" in error && error.code === "ENOENT") return void 0;
		throw failed(options, `${address.href}: ${require_errors.messageOf(error)}`);
	}
}
/** Tries again after what may pass by itself: a broken connection, a server that is busy. */
async function download(address, options) {
	const end = performance.now() + options.deadline;
	for (let tried = 1;; tried += 1) try {
		return await follow(address, {
			...options,
			end
		});
	} catch (error) {
		const wait = 500 * 2 ** tried;
		if (!(error instanceof Passing)) throw error;
		if (tried === TRIES || performance.now() + wait >= end) throw failed(options, `${address.href}: ${error.message}`);
		await (0, node_timers_promises.setTimeout)(wait);
	}
}
/** What may be otherwise a moment later. */
var Passing = class extends Error {};
async function follow(address, options) {
	let at = address;
	for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
		const answer = await ask(at, options);
		if ("body" in answer) return answer.body;
		at = await redirected(at, {
			to: answer.location,
			options
		});
	}
	throw failed(options, `${address.href}: found more than ${MOST_REDIRECTS} redirects`);
}
/** Only within the site: a digest or signature would catch another file, but nobody asked for requests elsewhere. */
async function redirected(from, { to, options }) {
	if (!URL.canParse(to, from.href)) throw failed(options, `${from.href}: found a redirect to no valid address`);
	const next = new URL(to, from.href);
	if (next.protocol === from.protocol && next.username === "" && await siteOf(next) === await siteOf(from)) return next;
	throw failed(options, `${from.href}: expected the file, found a redirect to ${next.origin}, which is another site`);
}
/**
* What one owner registered, by the list of public suffixes, with those of hosting companies (a bucket is a site of its own);
* or the whole name or address.
*/
async function siteOf({ hostname, port }) {
	const { getDomain } = await Promise.resolve().then(() => /* @__PURE__ */ require_rolldown_runtime.__toESM(require("./cjs.cjs").default, 1));
	return `${getDomain(hostname, { allowPrivateDomains: true }) ?? hostname}:${port}`;
}
async function ask(url, options) {
	const { HttpClient } = await Promise.resolve().then(() => require("./lib.cjs")).then((n) => n.lib_exports);
	const client = new HttpClient(`nginx-hot-upgrade/${VERSION$1}`, [], {
		allowRedirects: false,
		allowRetries: false,
		keepAlive: false,
		socketTimeout: 3e4
	});
	const stop = new AbortController();
	const late = (0, node_timers_promises.setTimeout)(Math.max(1, options.end - performance.now()), void 0, { signal: stop.signal }).then(() => Promise.reject(failed(options, `${url.href}: not within ${options.deadline / 1e3} s`)), () => new Promise(() => {}));
	let message;
	try {
		const response = await Promise.race([client.get(url.href, { "accept-encoding": "identity" }), late]).catch(passing);
		({message} = response);
		return await Promise.race([read$1(message, {
			url,
			options
		}), late]);
	} finally {
		stop.abort();
		message?.destroy();
		client.dispose();
	}
}
async function read$1(message, { url, options }) {
	const { statusCode: status = 0, headers } = message;
	if (status >= 300 && status < 400 && headers.location !== void 0) return { location: headers.location };
	if (status === 404 || status === 410) return { body: void 0 };
	if (status >= 500 || status === 429) throw new Passing(`the server answered ${status}`);
	if (status !== 200) throw failed(options, `${url.href}: expected status 200, found ${status}`);
	const encoding = headers["content-encoding"] ?? "identity";
	if (encoding !== "identity") throw failed(options, `${url.href}: expected the file as it is, found it ${encoding} encoded`);
	const body = await collect(message, {
		url,
		options
	});
	const announced = Number(headers["content-length"] ?? body.length);
	if (announced !== body.length) throw new Passing(`of ${announced} bytes only ${body.length} came`);
	return { body };
}
async function collect(message, { url, options }) {
	const pieces = [];
	let size = 0;
	try {
		for await (const piece of message) {
			size += piece.length;
			if (size > options.limit) throw failed(options, tooLarge(url.href, options.limit));
			pieces.push(piece);
		}
	} catch (error) {
		return passing(error);
	}
	return Buffer.concat(pieces);
}
function passing(error) {
	if (error instanceof require_errors.Refused) throw error;
	throw new Passing(require_errors.messageOf(error));
}
function tooLarge(where, limit) {
	return `${where}: is larger than ${Math.round(limit / 1024 / 1024)} MiB`;
}
function failed({ what }, found) {
	return refuse("download-failed", `${what} could not be fetched: ${found}`, "Correct the address, or see to it that it answers from here.");
}

// src/nginx/versions.ts
/** Negative where `a` is older. Compares number by number; what is no number counts as 0. */
function compareVersions(a, b) {
	const parts = (version) => version.split(".").map((part) => Number.parseInt(part, 10) || 0);
	const [left, right] = [parts(a), parts(b)];
	for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
		const difference = (left[i] ?? 0) - (right[i] ?? 0);
		if (difference !== 0) return difference;
	}
	return 0;
}

// src/source/mirror.ts
const NGINX_ORG = "https://nginx.org/download/nginx-{version}.tar.gz";
/** `source` as the user gave it: a template, or a directory with a slash at its end. */
function mirrorOf(source) {
	const template = source.includes("{version}") ? source : `${source.replace(/\/*$/, "/")}nginx-{version}.tar.gz`;
	const directory = template.slice(0, template.slice(0, template.indexOf("{version}")).lastIndexOf("/") + 1);
	return {
		template,
		directory,
		keys: template === "https://nginx.org/download/nginx-{version}.tar.gz" ? "https://nginx.org/keys/" : `${directory}keys/`
	};
}
function urlOf({ template }, version) {
	return template.replaceAll("{version}", version);
}
const LISTING = {
	what: "the list of releases",
	limit: 16777216,
	deadline: 6e4
};
/** The version that is meant. Throws Refused (`version-unknown`, `download-failed`). */
async function resolveVersion(wish, mirror) {
	if (wish.kind === "exact") return wish.version;
	const found = newest(versionsIn(await listingOf(mirror)), wish);
	if (found !== void 0) return found;
	const wanted = wish.kind === "line" ? `release of ${wish.line}` : `${wish.kind} release`;
	throw refuse("version-unknown", `expected a ${wanted} in ${mirror.directory}; found none`, "Name a whole version in `nginx-version`.");
}
async function listingOf({ directory }) {
	const url = new URL(directory);
	if (url.protocol !== "file:") return String(await fetchBytes(directory, LISTING));
	return (await (0, node_fs_promises.readdir)((0, node_url.fileURLToPath)(url)).catch(() => [])).join("\n");
}
/** Every version of which a listing, be it a page or a list of names, names a tarball. */
function versionsIn(listing) {
	return [...new Set([...listing.matchAll(/(?<![\w.-])nginx-(\d+\.\d+\.\d+)\.tar\.gz(?![\w.~-])/g)].map(([, version = ""]) => version))];
}
/** Stable lines have an even second number, mainline an odd one (nginx.org/en/download.html). */
function newest(versions, wish) {
	const fits = (version) => {
		if (wish.kind === "line") return version.startsWith(`${wish.line}.`);
		return Number(version.split(".")[1]) % 2 === 0 === (wish.kind === "stable");
	};
	return versions.filter(fits).toSorted(compareVersions).at(-1);
}

// src/source/armor.ts
const BLOCK$1 = /-----BEGIN PGP ([A-Z ]+)-----[ \t]*\n((?:[A-Za-z-]+: .*\n)*)[ \t]*\n([A-Za-z0-9+/=\s]*?)-----END PGP \1-----/g;
/**
* The bytes of every block of that kind in `text`; a clause that says what is wrong where there is another kind, or none.
* People write notes around keys. Around a signature nothing may stand: it would be signed by nobody.
*/
function dearmor(text, kind) {
	const plain = text.replaceAll("\r\n", "\n");
	const blocks = [...plain.matchAll(BLOCK$1)];
	const other = blocks.find(([, found]) => found !== kind);
	if (other !== void 0) return `expected a PGP ${kind.toLowerCase()}, found a PGP ${other[1]?.toLowerCase()}`;
	if (/-----BEGIN PGP SIGNED MESSAGE-----/.test(plain)) return "expected a detached signature, found a signed message";
	if ((plain.match(/-----BEGIN PGP /g)?.length ?? 0) > blocks.length) return `found a block that is cut off or damaged: expected each to run to "-----END PGP ${kind}-----"`;
	if (blocks.length === 0) return `expected "-----BEGIN PGP ${kind}-----", found no such block`;
	if (kind === "SIGNATURE" && plain.replaceAll(BLOCK$1, "").trim() !== "") return "found text around the signature";
	const bytes = blocks.map(([, , , body = ""]) => Buffer.from(body.replace(/\n=[A-Za-z0-9+/]{4}\s*$/, ""), "base64"));
	return bytes.some((block) => block.length === 0) ? "found an empty block" : bytes;
}

// src/source/packets.ts
const TAG$1 = {
	signature: 2,
	secretKey: 5,
	publicKey: 6,
	user: 13,
	publicSubkey: 14
};
/** Throws RangeError where the bytes end within a packet, or where a length is not told. */
function readPackets(bytes) {
	const packets = [];
	for (let at = 0; at < bytes.length;) {
		const { tag, start, length } = headerAt(bytes, at);
		if (start + length > bytes.length) throw new RangeError("a packet is cut off");
		packets.push({
			tag,
			body: bytes.subarray(start, start + length),
			bytes: bytes.subarray(at, start + length)
		});
		at = start + length;
	}
	return packets;
}
function headerAt(bytes, at) {
	const head = bytes.readUInt8(at);
	if ((head & 128) === 0) throw new RangeError("no OpenPGP packet");
	if ((head & 64) !== 0) return {
		tag: head & 63,
		...lengthAt(bytes, at + 1)
	};
	const width = [
		1,
		2,
		4
	][head & 3];
	if (width === void 0) throw new RangeError("a packet without a length");
	return {
		tag: head >> 2 & 15,
		start: at + 1 + width,
		length: bytes.readUIntBE(at + 1, width)
	};
}
/** A length of one, two or five bytes, as packets of the present form and subpackets have it. */
function lengthAt(bytes, at) {
	const first = bytes.readUInt8(at);
	if (first < 192) return {
		start: at + 1,
		length: first
	};
	if (first < 224) return {
		start: at + 2,
		length: (first - 192 << 8) + bytes.readUInt8(at + 1) + 192
	};
	if (first === 255) return {
		start: at + 5,
		length: bytes.readUInt32BE(at + 1)
	};
	throw new RangeError("a packet in pieces");
}

// src/source/public-key.ts
/** All keys of one or more armored blocks; a clause where there is anything else. */
function readPublicKeys(text) {
	if (/-----BEGIN PGP PRIVATE KEY BLOCK-----/.test(text)) return "expected public keys, found a private one: withdraw it";
	const blocks = dearmor(text, "PUBLIC KEY BLOCK");
	if (typeof blocks === "string") return blocks;
	try {
		const keys = blocks.flatMap((block) => splitKeys(readPackets(block)).map(keyOf$1));
		return keys.length > 0 ? keys : "found no key in the block";
	} catch (error) {
		if (error instanceof RangeError) return `found a damaged key: ${whyDamaged(error)}`;
		throw error;
	}
}
/** Of several copies of one key gpgv takes the first: the renewed one must come before the expired. */
function longestFirst(a, b) {
	return (b.expires ?? Number.MAX_SAFE_INTEGER) - (a.expires ?? Number.MAX_SAFE_INTEGER);
}
/** Where a length ends beyond the bytes, Node's own words speak of offsets that nobody knows. */
function whyDamaged(error) {
	return "code" in error ? "it is cut off" : error.message;
}
/** A key goes on until the next primary one. */
function splitKeys(packets) {
	const keys = [];
	for (const packet of packets) {
		if (packet.tag === TAG$1.secretKey) throw new RangeError("a private key");
		if (packet.tag === TAG$1.publicKey) keys.push([packet]);
		else keys.at(-1)?.push(packet);
	}
	return keys;
}
function keyOf$1(packets) {
	const [primary] = packets;
	if (primary === void 0 || primary.body[0] !== 4) throw new RangeError("a key of another version than 4");
	const { body } = primary;
	const created = body.readUInt32BE(1);
	const fingerprint = fingerprintOf$1(body);
	const lifetime = lifetimeOf(packets, fingerprint);
	return {
		fingerprint,
		user: (packets.find(({ tag }) => tag === TAG$1.user)?.body.toString("utf8") ?? "").replaceAll(/\p{C}+/gu, " "),
		...lifetime === 0 ? {} : { expires: (created + lifetime) * 1e3 },
		bytes: Buffer.concat(packets.map(({ bytes }) => bytes))
	};
}
/** RFC 9580, section 5.5.4.2. */
function fingerprintOf$1(body) {
	const head = Buffer.of(153, body.length >> 8, body.length & 255);
	return (0, node_crypto.createHash)("sha1").update(head).update(body).digest("hex").toUpperCase();
}
const SUBPACKET = {
	created: 2,
	keyExpires: 9,
	issuer: 16,
	issuerFingerprint: 33
};
const SELF_SIGNATURES = /* @__PURE__ */ new Set([
	16,
	17,
	18,
	19,
	31
]);
/** Seconds from the key's creation, as its own latest signature on its names says; 0: for ever. */
function lifetimeOf(packets, fingerprint) {
	const own = packets.filter(({ tag, body }) => tag === TAG$1.signature && body[0] === 4).filter(({ body }) => SELF_SIGNATURES.has(body[1] ?? 0)).map(({ body }) => subpacketsOf(body)).filter((said) => issuerOf(said) === fingerprint.slice(-16));
	const number = (said, type) => said.get(type)?.readUInt32BE(0) ?? 0;
	const latest = own.toSorted((a, b) => number(a, SUBPACKET.created) - number(b, SUBPACKET.created)).at(-1);
	return latest === void 0 ? 0 : number(latest, SUBPACKET.keyExpires);
}
/** The long key id. */
function issuerOf(said) {
	return (said.get(SUBPACKET.issuer) ?? said.get(SUBPACKET.issuerFingerprint)?.subarray(-8))?.toString("hex").toUpperCase();
}
/** Hashed and unhashed subpackets by type, the hashed ones first (RFC 9580, section 5.2.3.7). */
function subpacketsOf(body) {
	const found = /* @__PURE__ */ new Map();
	let at = 4;
	for (let area = 0; area < 2; area += 1) {
		const end = at + 2 + body.readUInt16BE(at);
		for (at += 2; at < end;) {
			const { start, length } = lengthAt(body, at);
			const type = (body[start] ?? 0) & 127;
			if (!found.has(type)) found.set(type, body.subarray(start + 1, start + length));
			at = start + length;
		}
	}
	return found;
}

// src/inputs/configure-args.ts
/** Arguments of `configure` the way a shell splits them, on as many lines as one likes. No shell reads them. */
function parseConfigureArgs(text) {
	const words = splitWords(text);
	if (typeof words === "string") return bad(words);
	if (words.length === 0) return bad("expected arguments, found none");
	const odd = words.find((word) => !/^--[A-Za-z][\w.-]*(?:=|$)/.test(word));
	if (odd !== void 0) return bad(`expected arguments such as --with-threads, found ${show(odd)}: put a value with blanks in quotes`);
	const hidden = words.find((word) => /[\p{Cc}\p{Cf}]/u.test(word));
	return hidden === void 0 ? good(words) : bad(`expected no invisible characters, found ${show(hidden)}`);
}
/** Words, or a sentence where a quote does not end. `$`, backquotes and patterns mean nothing. */
function splitWords(text) {
	const words = [];
	let word;
	let left = text.replaceAll("\r\n", "\n");
	while (left !== "") {
		const part = PARTS.map((pattern) => pattern.exec(left)).find((found) => found !== null);
		if (part === void 0) return `a quote is not closed, or nothing follows a backslash: ${show(left)}`;
		const [whole, quoted] = part;
		const comment = word === void 0 ? /^#[^\n]*/.exec(left)?.[0] : void 0;
		if (/^\s/.test(left)) {
			if (word !== void 0) words.push(word);
			word = void 0;
		} else if (comment === void 0 && whole !== "\\\n") word = (word ?? "") + unescaped(whole, quoted);
		left = left.slice((comment ?? whole).length);
	}
	return word === void 0 ? words : [...words, word];
}
/** What a shell takes in one: blanks, text in quotes, an escaped character, plain text. */
const PARTS = [
	/^\s+/,
	/^'([^']*)'/,
	/^"((?:[^"\\]|\\[^])*)"/,
	/^\\[^]/,
	/^[^\s'"\\]+/
];
function unescaped(whole, quoted) {
	if (whole.startsWith("\\")) return whole.slice(1);
	if (!whole.startsWith("\"")) return quoted ?? whole;
	return (quoted ?? "").replaceAll(/\\(["\\$`\n])/g, (_all, character) => character === "\n" ? "" : character);
}

// src/inputs/list.ts
/** Items separated by newlines or commas; empty ones and comment lines (`#`) are left out. */
function splitList(text) {
	return splitLines(text).flatMap((line) => line.split(",")).map((item) => item.trim()).filter((item) => item !== "");
}
/** Trimmed lines; empty ones and comment lines (`#`) are left out. */
function splitLines(text) {
	return numberedLines(text).map(({ line }) => line);
}
/** As `splitLines`, with the line's number in the text, from 1. */
function numberedLines(text) {
	return text.split(/\r?\n/).map((line, index) => ({
		line: line.trim(),
		number: index + 1
	})).filter(({ line }) => line !== "" && !line.startsWith("#"));
}

// src/inputs/url.ts
/** The `https://` URL of a file. */
function parseDownloadUrl(text) {
	const mistake = urlMistake$1(text);
	if (mistake !== void 0) return bad(mistake);
	return /^https:\/\//i.test(text) ? good(text) : bad(`expected an https:// URL, found ${show(text)}`);
}
/** A URL with `{version}` in it, or a directory that holds the releases. */
function parseSourceUrl(text) {
	const filled = text.replaceAll("{version}", "1.0.0");
	const mistake = urlMistake$1(filled, text);
	if (mistake !== void 0) return bad(mistake);
	if (!/^(?:https|file):\/\//i.test(text)) return bad(`expected an https:// or file:// URL, found ${show(text)}`);
	if (/^file:\/\/[^/]/i.test(text)) return bad(`expected file:///directory/ with three slashes, found ${show(text)}`);
	if (/^\w+:\/*[^/?#]*\{version\}/.test(text)) return bad(`{version} has no place in the name of a host, found ${show(text)}`);
	if (/[{}]/.test(filled)) return bad(`only {version} stands for something, found ${show(text)}`);
	if (filled !== text || text.endsWith("/")) return good(text);
	return bad(`expected {version} in it, or a directory with a slash at its end, found ${show(text)}`);
}
/** What is wrong with any URL, as a sentence; undefined where nothing is. */
function urlMistake$1(text, given = text) {
	if (/\s/.test(text) || hasInvisible(text)) return `expected one URL without spaces, found ${show(given)}`;
	if (!URL.canParse(text)) return `expected a valid URL, found ${show(given)}`;
	const { username, password, hash } = new URL(text);
	if (username !== "" || password !== "") return `no credentials in URLs, found ${show(given)}`;
	return hash === "" ? void 0 : `"#…" is never sent to a server: leave it out, found ${show(given)}`;
}

// src/inputs/module-sources.ts
const FORM$1 = "name=/path, or name=https://…#sha256=…";
/** `name=path-or-URL[#sha256=…]`, one a line. Whether a path is there is looked up at once. */
function parseModuleSources(text) {
	return andThen(all(splitLines(text), parseLine$1), refuseTwice$1);
}
function parseLine$1(line) {
	const [, name = "", place = "", digest] = /^([^=]*)=(.*?)(?:#sha256=(.*))?$/.exec(line) ?? [];
	if (!/^[A-Za-z0-9][\w.-]{0,99}$/.test(name) || place === "") return bad(`expected ${FORM$1}, found ${show(line)}`);
	const sha256 = digest === void 0 ? good(void 0) : parseSha256(digest);
	if (!sha256.ok) return bad(...sha256.problems.map((problem) => `${name}: ${problem}`));
	return /^[a-z]+:\/\//i.test(place) ? remote(name, {
		url: place,
		sha256: sha256.value
	}) : local(name, {
		path: place,
		sha256: sha256.value
	});
}
function remote(name, { url, sha256 }) {
	const mistake = urlMistake$1(url);
	if (mistake !== void 0) return bad(`${name}: ${mistake}`);
	if (!/^https:\/\//i.test(url)) return bad(`${name}: expected an https:// URL or a path, found ${show(url)}`);
	if (sha256 === void 0) return bad(`${name}: a URL needs the digest of what lies there: ${show(url)}#sha256=…`);
	return good({
		name,
		from: url,
		sha256
	});
}
function local(name, { path, sha256 }) {
	const from = parseLocalPath(path);
	if (!from.ok) return bad(...from.problems.map((problem) => `${name}: ${problem}`));
	const mistake = placeMistake(from.value, sha256);
	if (mistake !== void 0) return bad(`${name}: ${mistake}`);
	return good({
		name,
		from: from.value,
		...sha256 === void 0 ? {} : { sha256 }
	});
}
function placeMistake(from, sha256) {
	try {
		const found = (0, node_fs.statSync)(from);
		if (!found.isFile() && !found.isDirectory()) return `expected a directory or an archive at ${show(from)}`;
		return sha256 !== void 0 && found.isDirectory() ? `a digest belongs to an archive, ${show(from)} is none` : void 0;
	} catch (error) {
		return unreadable(error, show(from));
	}
}
function refuseTwice$1(sources) {
	const twice = sources.find(({ name }, index) => sources.findIndex((other) => other.name === name) < index);
	return twice === void 0 ? good(sources) : bad(`${show(twice.name)} is given more than once`);
}

// src/inputs/nearest.ts
/** The name that was most likely meant, or undefined where none is near enough to be helpful. */
function nearest(given, names) {
	if (given.length > 60) return void 0;
	const wanted = plain(given);
	const limit = Math.max(1, Math.min(3, Math.floor(wanted.length / 3)));
	let best;
	for (const name of names) {
		const distance = editDistance(wanted, plain(name));
		if (distance <= limit && (best === void 0 || distance < best.distance)) best = {
			name,
			distance
		};
	}
	return best?.name;
}
/** ` Did you mean "x"?`, or nothing. */
function suggestion(given, names) {
	const name = nearest(given, names);
	return name === void 0 ? "" : ` Did you mean "${name}"?`;
}
function plain(name) {
	return name.toLowerCase().replaceAll(/[\s_]/g, "-");
}
/** Insertions, deletions, replacements and swapped neighbours. */
function editDistance(left, right) {
	let beforeLast = [];
	let last = Array.from({ length: right.length + 1 }, (_, index) => index);
	for (let row = 1; row <= left.length; row++) {
		const current = [row];
		for (let column = 1; column <= right.length; column++) {
			const same = left[row - 1] === right[column - 1];
			const replaced = at(last, column - 1) + (same ? 0 : 1);
			const shorter = Math.min(replaced, at(last, column) + 1, at(current, column - 1) + 1);
			const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
			current.push(swapped ? Math.min(shorter, at(beforeLast, column - 2) + 1) : shorter);
		}
		beforeLast = last;
		last = current;
	}
	return at(last, right.length);
}
function at(row, column) {
	return row[column] ?? Number.POSITIVE_INFINITY;
}

// src/inputs/version.ts
const BRANCHES = ["stable", "mainline"];
/** An nginx version: `1.30.4`, `1.30` (its newest), `stable`, `mainline`; a leading `v` is taken off. */
function parseVersion(text) {
	if (text === "stable" || text === "mainline") return good({ kind: text });
	const version = text.replace(/^v(?=[0-9])/, "");
	if (/^(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,3})){1,2}$/.test(version)) return good(wishOf(version), version === text ? [] : [`"${text}" is read as ${version}`]);
	return bad(`expected a version such as 1.30.4 or 1.30, stable or mainline, found ${show(text)}.${hint(text)}`);
}
function wishOf(version) {
	return version.split(".").length === 2 ? {
		kind: "line",
		line: version
	} : {
		kind: "exact",
		version
	};
}
function hint(text) {
	if (/^[0-9.]+[-+~]/.test(text)) return " The part after the numbers belongs to a distribution: leave it out";
	if (/(?:^|\.)0[0-9]/.test(text)) return " Numbers have no leading zero";
	return text === "latest" ? " Say \"mainline\" for the newest, \"stable\" for the newest stable one" : suggestion(text, BRANCHES);
}

// src/inputs/build.ts
/** Used only where nginx is built. */
const ONLY_FOR_BUILDS = [
	"source-url",
	"trusted-keys",
	"extra-configure-args",
	"omit-configure-args",
	"add-modules"
];
/** What to build, where `nginx-version` says so. `sha256` is then the digest of the source. */
function readBuild(form, sha256) {
	const wish = form.blamed("nginx-version") ? void 0 : form.optional("nginx-version", parseVersion);
	const source = form.optional("source-url", parseSourceUrl) ?? "https://nginx.org/download/nginx-{version}.tar.gz";
	const keys = form.optional("trusted-keys", parseKeys);
	const args = form.setting("configure-args", parseArguments);
	const extra = form.optional("extra-configure-args", parseConfigureArgs) ?? [];
	const omit = form.optional("omit-configure-args", parseConfigureArgs) ?? [];
	const modules = form.optional("add-modules", parseModuleSources) ?? [];
	if (form.given("nginx-version") === void 0) warnUnused$1(form);
	if (wish === void 0) return void 0;
	const trust = {
		...sha256 === void 0 ? {} : { sha256 },
		...keys === void 0 ? {} : { keys }
	};
	return {
		kind: "build",
		wish,
		mirror: mirrorOf(source),
		trust,
		arguments: args,
		extra,
		omit,
		modules
	};
}
function parseArguments(text) {
	return text === "inherit" ? good(text) : parseConfigureArgs(text);
}
function parseKeys(text) {
	const keys = readPublicKeys(text);
	if (typeof keys !== "string") return good(keys);
	return bad(`expected the text of public keys ("gpg --armor --export KEY"): ${keys}`);
}
function warnUnused$1(form) {
	const given = [...ONLY_FOR_BUILDS, ...form.given("configure-args") === "inherit" ? [] : ["configure-args"]];
	for (const name of given) if (form.given(name) !== void 0) form.warn(name, "is not used: nothing is built without \"nginx-version\"");
}

// src/inputs/binary.ts
const SOURCES = [
	"binary",
	"download-url",
	"nginx-version"
];
const LARGEST = 1024 ** 3;
/** The new nginx, where the command has a use for one. Reads a file that is given: it must be there and be a program. */
async function readBinary(form, command) {
	refuseSeveral(form);
	const wanted = NEEDS_BINARY.has(command);
	if (wanted && !SOURCES.some((name) => form.given(name) !== void 0 || form.blamed(name)) && !form.blamed("command")) form.problem("binary", `"${command}" needs the new nginx: give exactly one of ${SOURCES.join(", ")}`);
	const sha256 = form.optional("sha256", parseSha256);
	const build = readBuild(form, sha256);
	const url = form.optional("download-url", parseDownloadUrl);
	if (form.given("download-url") !== void 0 && sha256 === void 0 && !form.blamed("sha256")) form.problem("sha256", "\"download-url\" needs the digest of what lies there");
	if (sha256 !== void 0 && !SOURCES.some((name) => form.given(name) !== void 0)) form.warn("sha256", `is not used: it belongs to one of ${SOURCES.join(", ")}`);
	if (!wanted && command !== "plan") return void 0;
	const text = form.given("binary");
	if (text !== void 0) return readFile$2(form, {
		text,
		sha256
	});
	if (url !== void 0 && sha256 !== void 0) return {
		kind: "download",
		url,
		sha256
	};
	return build;
}
const NEEDS_BINARY = /* @__PURE__ */ new Set(["build", "upgrade"]);
function refuseSeveral(form) {
	const given = SOURCES.filter((name) => form.given(name) !== void 0);
	const [, second] = given;
	if (second !== void 0) form.problem(second, `expected one of ${SOURCES.join(", ")}; found ${given.join(" and ")}`);
}
async function readFile$2(form, given) {
	const path = form.take("binary", await checkProgram(given.text));
	if (path === void 0) return void 0;
	if (given.sha256 === void 0) return {
		kind: "file",
		path
	};
	await compareDigest(form, {
		path,
		sha256: given.sha256
	});
	return {
		kind: "file",
		path,
		sha256: given.sha256
	};
}
async function checkProgram(text) {
	const path = parseLocalPath(text);
	if (!path.ok) return path;
	const mistake = await fileMistake(path.value, show(text));
	return mistake === void 0 ? path : bad(mistake);
}
async function fileMistake(path, shown) {
	try {
		const found = await (0, node_fs_promises.stat)(path);
		if (found.isDirectory()) return `expected a file, found the directory ${shown}`;
		if (!found.isFile()) return `expected a regular file, found a pipe, socket or device: ${shown}`;
		if (found.size > LARGEST) return `is larger than 1 GiB: ${shown}`;
		const elf = readElf(await readHead(path));
		return typeof elf === "string" ? `expected an nginx for Linux (an ELF file), ${shown} is ${elf}` : void 0;
	} catch (error) {
		return unreadable(error, shown);
	}
}
async function readHead(path) {
	await using file = await (0, node_fs_promises.open)(path);
	const { buffer, bytesRead } = await file.read(Buffer.alloc(ELF_HEAD), 0, ELF_HEAD, 0);
	return buffer.subarray(0, bytesRead);
}
async function compareDigest(form, { path, sha256 }) {
	const hash = (0, node_crypto.createHash)("sha256");
	await using file = await (0, node_fs_promises.open)(path);
	for await (const chunk of file.readableWebStream()) hash.update(new Uint8Array(chunk));
	const found = hash.digest("hex");
	if (found === sha256) return;
	form.problem("sha256", `the digest of ${show(path)} is another one: expected ${sha256}, found ${found}`);
}

// src/inputs/duration.ts
const UNITS = {
	ms: 1,
	s: 1e3,
	m: 6e4,
	h: 36e5
};
const LONGEST$5 = 6048e5;
/** One number and one unit: `500ms`, `30s`, `1.5m`, `1h`; from `min` to seven days. */
function duration({ min }) {
	return (text) => {
		const match = /^([0-9]{1,12}(?:\.[0-9]{1,3})?)(ms|s|m|h)$/.exec(text);
		const unit = UNITS[match?.[2] ?? ""];
		if (unit === void 0) return bad(explain$1(text));
		const value = Math.round(Number(match?.[1]) * unit);
		if (value < min) return bad(`must be at least ${formatDuration(min)}, found ${show(text)}`);
		if (value > LONGEST$5) return bad(`must be at most ${formatDuration(LONGEST$5)}, found ${show(text)}`);
		return good(value);
	};
}
/** The shortest exact form: 90000 is `90s`, 120000 is `2m`. */
function formatDuration(value) {
	const unit = [
		"h",
		"m",
		"s"
	].find((name) => value !== 0 && value % (UNITS[name] ?? 1) === 0);
	return unit === void 0 ? `${value}ms` : `${value / (UNITS[unit] ?? 1)}${unit}`;
}
function explain$1(text) {
	const found = `found ${show(text)}`;
	if (/^[0-9]+$/.test(text)) return `a duration needs a unit (500ms, 30s, 10m, 1h), ${found}`;
	if (/^[0-9.]+(?:ms|s|m|h)$/i.test(text)) return `units are written in lower case (500ms, 30s, 10m, 1h), ${found}`;
	if (/^(?:[0-9]+[smh]){2,}$/.test(text)) return `expected one number and one unit (90m, not 1h30m), ${found}`;
	return `expected a number and a unit (500ms, 30s, 10m, 1h), ${found}`;
}

// src/inputs/enum.ts
/** One of a few fixed words, exactly as written. */
function oneOf(words) {
	return (text) => {
		const word = words.find((candidate) => candidate === text);
		if (word !== void 0) return good(word);
		return bad(`expected ${words.join(", ")}, found ${show(text)}.${suggestion(text, words)}`);
	};
}

// src/report/mask.ts
/**
* `forms` is every spelling under which a secret may turn up (the inputs parser lists them: each line, JSON-escaped,
* URL-encoded, base64). Empty forms are ignored.
*/
function createMask(forms) {
	const known = [...new Set(forms)].filter((form) => form !== "").sort((a, b) => b.length - a.length);
	return (text) => replaceSpans(text, overlapping(known.flatMap((form) => spansOf(form, text))));
}
/** A copy of plain data (a report) with every string in it masked. */
function maskAll(value, mask) {
	return JSON.parse(JSON.stringify(value, (_key, item) => typeof item === "string" ? mask(item) : item));
}
function spansOf(form, text) {
	const spans = [];
	for (let start = text.indexOf(form); start !== -1; start = text.indexOf(form, start + 1)) {
		const last = spans.at(-1);
		if (last !== void 0 && start < last.end) last.end = start + form.length;
		else spans.push({
			start,
			end: start + form.length
		});
	}
	return spans;
}
/** Two secrets may overlap: replacing the first would leave the rest of the second readable. */
function overlapping(spans) {
	const merged = [];
	for (const span of spans.sort((a, b) => a.start - b.start || b.end - a.end)) {
		const last = merged.at(-1);
		if (last !== void 0 && span.start < last.end) last.end = Math.max(last.end, span.end);
		else merged.push({ ...span });
	}
	return merged;
}
function replaceSpans(text, spans) {
	let end = 0;
	let out = "";
	for (const span of spans) {
		out += `${text.slice(end, span.start)}***`;
		end = span.end;
	}
	return out + text.slice(end);
}

// src/inputs/names.ts
/** Every input. `action.yml` holds the same names and defaults; a test compares the two. */
const INPUTS = {
	command: {
		kind: "word",
		default: "upgrade"
	},
	targets: { kind: "list" },
	inventory: { kind: "word" },
	username: { kind: "word" },
	port: {
		kind: "count",
		default: "22"
	},
	key: {
		kind: "block",
		secret: true
	},
	passphrase: {
		kind: "word",
		secret: true
	},
	"known-hosts": { kind: "block" },
	fingerprint: { kind: "list" },
	"proxy-jump": { kind: "word" },
	transport: {
		kind: "word",
		default: "library"
	},
	certificate: { kind: "block" },
	"ssh-config": { kind: "word" },
	timeout: {
		kind: "duration",
		default: "30s"
	},
	"command-timeout": {
		kind: "duration",
		default: "10m"
	},
	sudo: {
		kind: "word",
		default: "sudo -n"
	},
	binary: { kind: "word" },
	"download-url": { kind: "word" },
	"nginx-version": { kind: "word" },
	"source-url": { kind: "word" },
	sha256: { kind: "word" },
	"trusted-keys": { kind: "block" },
	"configure-args": {
		kind: "block",
		default: "inherit"
	},
	"extra-configure-args": { kind: "block" },
	"omit-configure-args": { kind: "block" },
	"add-modules": { kind: "lines" },
	"openssl-version": { kind: "word" },
	"pcre2-version": { kind: "word" },
	"zlib-version": { kind: "word" },
	"allow-downgrade": {
		kind: "boolean",
		default: "false"
	},
	"pid-file": { kind: "word" },
	"health-url": { kind: "word" },
	"health-from": {
		kind: "word",
		default: "target"
	},
	"health-status": {
		kind: "list",
		default: "200-399"
	},
	"health-body": { kind: "word" },
	"health-headers": { kind: "lines" },
	"health-ca": { kind: "block" },
	"health-interval": {
		kind: "duration",
		default: "1s"
	},
	"health-timeout": {
		kind: "duration",
		default: "5s"
	},
	"health-successes": {
		kind: "count",
		default: "5"
	},
	"failure-limit": {
		kind: "count",
		default: "0"
	},
	"canary-time": {
		kind: "duration",
		default: "0s"
	},
	"bake-time": {
		kind: "duration",
		default: "10s"
	},
	"ready-timeout": {
		kind: "duration",
		default: "15s"
	},
	"drain-timeout": {
		kind: "duration",
		default: "60s"
	},
	"auto-commit": {
		kind: "boolean",
		default: "true"
	},
	"auto-rollback": {
		kind: "boolean",
		default: "true"
	},
	"confirm-timeout": {
		kind: "duration",
		default: "2m"
	},
	"hold-timeout": {
		kind: "duration",
		default: "15m"
	},
	rehearse: {
		kind: "boolean",
		default: "false"
	},
	allow: { kind: "list" },
	keep: {
		kind: "count",
		default: "3"
	},
	"max-parallel": {
		kind: "word",
		default: "1"
	},
	"batch-wait": {
		kind: "duration",
		default: "0s"
	},
	"max-failures": {
		kind: "count",
		default: "0"
	},
	"commit-scope": {
		kind: "word",
		default: "host"
	}
};
const INPUT_NAMES = Object.keys(INPUTS).filter((name) => isInputName(name));
function isInputName(name) {
	return Object.hasOwn(INPUTS, name);
}
function specOf(name) {
	return INPUTS[name];
}

// src/inputs/form.ts
const LONGEST$4 = 1048576;
const PROBLEMS_AN_INPUT = 20;
function openForm(raw, { problems: found = [], othersMayBeThere = false } = {}) {
	const problems = [...found, ...brokenValues(raw)];
	const unknown = unknownNames(raw);
	const warnings = [];
	if (!othersMayBeThere) problems.push(...unknown.splice(0));
	const unreadable = new Set(problems.map((problem) => problem.input));
	const given = (name) => {
		const value = unreadable.has(name) ? "" : normalise(name, raw.get(name) ?? "");
		return value === "" ? void 0 : value;
	};
	const take = (name, checked) => {
		if (!checked.ok) {
			problems.push(...capped(checked.problems).map((message) => ({
				input: name,
				message
			})));
			return;
		}
		warnings.push(...capped(checked.notes).map((message) => ({
			input: name,
			message
		})));
		return checked.value;
	};
	const optional = (name, parse) => {
		const value = given(name);
		return value === void 0 ? void 0 : take(name, parse(value));
	};
	return {
		given,
		take,
		optional,
		setting: (name, parse) => optional(name, parse) ?? defaultOf(name, parse),
		problem: (input, message) => void problems.push({
			input,
			message
		}),
		warn: (input, message) => void warnings.push({
			input,
			message
		}),
		blamed: (name) => problems.some((problem) => problem.input === name),
		close: (secrets) => {
			if (problems.length > 0) throw new require_errors.InputError(hide(inOrder([...problems, ...unknown]), secrets));
			return hide(inOrder([...unknown, ...warnings]), secrets);
		}
	};
}
function unknownName(name) {
	return `there is no input of this name (an input of the step, or a variable INPUT_… of its job).${suggestion(name, INPUT_NAMES)}`;
}
function unknownNames(raw) {
	return [...raw.keys()].filter((name) => !isInputName(name)).map((name) => ({
		input: label(name),
		message: unknownName(name)
	}));
}
function brokenValues(raw) {
	return [...raw].filter(([name]) => isInputName(name)).flatMap(([input, value]) => {
		if (value.includes("\0")) return [{
			input,
			message: "contains a NUL character"
		}];
		if (value.length > LONGEST$4) return [{
			input,
			message: `is longer than 1 MiB (${value.length} characters)`
		}];
		return [];
	});
}
function normalise(name, value) {
	const text = value.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
	return name === "passphrase" ? text.replace(/\n$/, "") : text.trim();
}
function defaultOf(name, parse) {
	const checked = parse(specOf(name).default ?? "");
	if (!checked.ok) throw new Error(`the default of ${name} is wrong: ${checked.problems.join("; ")}`);
	return checked.value;
}
function capped(messages) {
	if (messages.length <= PROBLEMS_AN_INPUT) return messages;
	return [...messages.slice(0, PROBLEMS_AN_INPUT), `and ${messages.length - PROBLEMS_AN_INPUT} more of this kind`];
}
function inOrder(problems) {
	const rank = ({ input }) => isInputName(input) ? INPUT_NAMES.indexOf(input) : -1;
	return problems.sort((left, right) => rank(left) - rank(right));
}
function hide(problems, secrets) {
	const mask = createMask(secrets);
	return problems.map(({ input, message }) => ({
		input,
		message: mask(message)
	}));
}

// src/inputs/health-body.ts
const LONGEST$3 = 4096;
/** A text that must occur, or `/regex/` with the flags i, m, s, u, v. */
function parseBody(text) {
	if (text.length > LONGEST$3) return bad(`at most ${LONGEST$3} characters, found ${text.length}`);
	const regex = /^\/(.+)\/([a-z]{0,6})$/s.exec(text);
	const [, source = "", flags = ""] = regex ?? [];
	if (regex === null || !/^[dgimsuvy]*$/.test(flags)) return good({
		kind: "text",
		text
	});
	const mistake = regexMistake(source, flags);
	return mistake === void 0 ? good({
		kind: "regex",
		source,
		flags
	}) : bad(`${mistake}: ${show(text)}`);
}
function regexMistake(source, flags) {
	if (/[dgy]/.test(flags)) return "the flags d, g and y mean nothing here";
	try {
		RegExp(source, flags);
	} catch (error) {
		return require_errors.messageOf(error).replace(/^Invalid regular expression: .*: /s, "no valid regular expression, ");
	}
	if (!nestsRepeats(source)) return void 0;
	return "a repeat within a repeat such as (a+)+ can take for ever on an answer that does not match";
}
/** True where a group that holds an open-ended repeat is itself repeated without end. */
function nestsRepeats(source) {
	const bare = source.replaceAll(/\\./gs, "x").replaceAll(/\[[^\]]*\]/g, "x");
	const repeating = [false];
	for (const [token] of bare.matchAll(/\(|\)?(?:[*+]|\{[0-9]+,\})|\)/g)) if (token === "(") repeating.push(false);
	else if (!closeGroup(token, repeating)) return true;
	return false;
}
function closeGroup(token, repeating) {
	const inner = token.startsWith(")") && repeating.length > 1 && repeating.pop() === true;
	const repeated = token !== ")";
	if (inner && repeated) return false;
	if (inner || repeated) repeating[repeating.length - 1] = true;
	return true;
}

// src/inputs/health-ca.ts
const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
/** One or more PEM certificates, as given. */
function parseCertificates(text) {
	if (text.includes("PRIVATE KEY")) return bad("holds a private key; expected only the certificate of the authority");
	const blocks = text.match(BLOCK) ?? [];
	const started = text.split("-----BEGIN ").length - 1;
	if (started === 0) return bad(`expected the PEM text of a certificate, found ${withoutBlocks(text)}`);
	if (blocks.length !== started) return bad("expected only whole \"BEGIN CERTIFICATE\" blocks: was one cut off?");
	const numbered = blocks.map((pem, index) => ({
		pem,
		number: index + 1
	}));
	return andThen(all(numbered, parseCertificate), () => good(text));
}
function parseCertificate({ pem, number }) {
	try {
		const certificate = new node_crypto.X509Certificate(pem);
		const expired = new Date(certificate.validTo).getTime() < Date.now();
		return good(certificate, expired ? [`certificate ${number} has expired on ${certificate.validTo}`] : []);
	} catch {
		return bad(`certificate ${number} cannot be read: its base64 text is damaged`);
	}
}
function withoutBlocks(text) {
	return /^[~./][^\n]*$/.test(text) ? "what looks like a path: give the text of the file" : "no \"BEGIN CERTIFICATE\" line";
}

// src/inputs/secrets.ts
/** Shorter ones cannot be masked without masking half the log. */
const SHORTEST_SECRET = 4;
const CREDENTIAL_HEADER = /auth|cookie|token|secret|key|passw|session|signature|credential/i;
const URL_INPUTS = [
	"health-url",
	"download-url",
	"source-url",
	"add-modules"
];
/**
* Every text that must be masked wherever it appears: key lines, passphrase, values of credential headers and of
* credentials in URLs, each also JSON-escaped, URL-encoded and base64-encoded. Never throws, whatever the inputs are.
*/
function secretsOf(raw) {
	const forms = [
		...keyParts(raw.get("key") ?? ""),
		(raw.get("passphrase") ?? "").replace(/\r?\n$/, ""),
		...headerSecrets(raw.get("health-headers") ?? ""),
		...URL_INPUTS.flatMap((name) => urlSecrets(raw.get(name) ?? ""))
	].filter((secret) => secret.length >= 4).flatMap(formsOf);
	return [...new Set(forms)];
}
/** True where a header of this name usually carries a credential. */
function isCredentialHeader(name) {
	return CREDENTIAL_HEADER.test(name);
}
function keyParts(key) {
	const telling = key.split(/\r\n|\r|\n|\\n/).map((line) => line.trim()).filter((line) => line.length >= 8 && !/^-----(?:BEGIN|END)[^-]*-----$/.test(line));
	return [key.trim(), ...telling];
}
function headerSecrets(text) {
	return numberedLines(text).flatMap(({ line }) => {
		const [, name = "", value = ""] = /^([^:]*):(.*)$/s.exec(line) ?? [
			"",
			"",
			line
		];
		if (name !== "" && !isCredentialHeader(name)) return [];
		const credential = value.trim();
		const [, scheme = "", token = ""] = /^([A-Za-z]+)\s+(.+)$/s.exec(credential) ?? [];
		return [
			credential,
			token,
			...scheme.toLowerCase() === "basic" ? basicSecrets(token) : []
		];
	});
}
function basicSecrets(token) {
	const pair = Buffer.from(token, "base64").toString();
	return [pair, pair.slice(pair.indexOf(":") + 1)];
}
function urlSecrets(urls) {
	return [...urls.matchAll(/[a-z]:\/*([^/\s]*)@/gi)].flatMap(([, credentials = ""]) => [credentials, credentials.slice(credentials.indexOf(":") + 1)]);
}
function formsOf(secret) {
	return [
		secret,
		JSON.stringify(secret).slice(1, -1),
		encodeURIComponent(secret.toWellFormed()),
		Buffer.from(secret).toString("base64")
	];
}

// src/inputs/health-headers.ts
const MOST$1 = 50;
/** The connection's own business: a probe sets these itself. */
const RESERVED = /* @__PURE__ */ new Set([
	"connection",
	"content-length",
	"expect",
	"keep-alive",
	"te",
	"trailer",
	"transfer-encoding"
]);
/** `Name: value` lines. Messages name the line's number only: a value may be a secret, and so may a line without a name. */
function parseHeaders(text) {
	const lines = numberedLines(text);
	if (lines.length > MOST$1) return bad(`at most ${MOST$1} headers, found ${lines.length}`);
	const headers = all(lines, ({ line, number }) => parseHeader(line, number));
	return andThen(headers, oneHost$1);
}
function parseHeader(line, number) {
	const colon = line.indexOf(":");
	if (colon < 0) return bad(`line ${number}: expected "Name: value", found no colon`);
	const name = line.slice(0, colon);
	const value = line.slice(colon + 1).trim();
	if (name === "") return bad(`line ${number}: expected "Name: value", found no name`);
	if (name.length > 100 || !/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) return bad(`line ${number}: the name holds a character that no header name may hold`);
	if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return bad(`line ${number}: the value of ${name} holds a control character or one outside Latin-1`);
	if (RESERVED.has(name.toLowerCase()) || name.toLowerCase() === "upgrade") return bad(`line ${number}: ${name} belongs to the connection and cannot be set`);
	return good([name, value], notes$1(name, value));
}
function notes$1(name, value) {
	if (!isCredentialHeader(name) || value.length >= 4) return [];
	return [`the value of ${name} is too short to be masked in the log`];
}
function oneHost$1(headers) {
	const hosts = headers.filter(([name]) => name.toLowerCase() === "host");
	return hosts.length > 1 ? bad(`expected one Host header, found ${hosts.length}`) : good(headers);
}

// src/inputs/health-status.ts
/** A list of codes (`204`), ranges (`200-399`) and classes (`2xx`). */
function parseStatusRanges(text) {
	const items = splitList(text);
	return items.length === 0 ? bad("expected at least one status code") : all(items, parseRange);
}
function parseRange(text) {
	const hundred = /^([1-5])xx$/i.exec(text)?.[1];
	if (hundred !== void 0) return good({
		from: Number(hundred) * 100,
		to: Number(hundred) * 100 + 99
	});
	const match = /^([1-5][0-9]{2})(?:\s*-\s*([1-5][0-9]{2}))?$/.exec(text);
	if (match === null) return bad(`expected codes from 100 to 599 such as 204, 200-399 or 2xx, found ${show(text)}`);
	const from = Number(match[1]);
	const to = Number(match[2] ?? match[1]);
	return from <= to ? good({
		from,
		to
	}) : bad(`the range ${show(text)} ends before it starts`);
}

// src/inputs/health-url.ts
const LONGEST$2 = 2048;
/** An http(s) URL in which `{host}` stands for the target's name, as given; `{host}` is not filled in. */
function parseHealthUrl(text) {
	const mistake = textMistake(text) ?? templateMistake(text) ?? urlMistake(text);
	return mistake === void 0 ? good(text) : bad(mistake);
}
/** The URL as it will be for one target; undefined where that makes no valid URL. */
function fillHost(url, host) {
	const filled = url.replaceAll("{host}", host.includes(":") ? `[${host}]` : host);
	return URL.canParse(filled) ? new URL(filled) : void 0;
}
function textMistake(text) {
	if (text.length > LONGEST$2) return `a URL has at most ${LONGEST$2} characters, found ${text.length}`;
	if (hasInvisible(text) || /\s/.test(text)) return `expected one URL without spaces or invisible characters, found ${show(text)}`;
	if (!/^https?:\/\//i.test(text)) return `expected a URL that starts with http:// or https://, found ${show(text)}`;
}
function templateMistake(text) {
	const variable = /\$\{?\{?[A-Za-z_][^}/]*\}?\}?/.exec(text)?.[0];
	if (variable !== void 0) return `holds a variable that nothing replaced: ${show(variable)}`;
	const unknown = text.match(/\{[^}]*\}?/g)?.find((part) => part !== "{host}");
	if (unknown === void 0) return void 0;
	const near = suggestion(unknown.replaceAll(/[{}]/g, ""), ["host"]).replace("\"host\"", "\"{host}\"");
	return `{host} is the only placeholder, found ${show(unknown)}.${near}`;
}
function urlMistake(text) {
	const url = fillHost(text, "host.example");
	if (url === void 0) return `expected a valid URL, found ${show(text)}`;
	if (url.username !== "" || url.password !== "") return `no credentials in URLs: use "health-headers" (Authorization: …), found ${show(text)}`;
	if (text.includes("#")) return `"#…" is never sent to a server: leave it out, found ${show(text)}`;
}

// src/inputs/number.ts
/** Whole numbers in plain decimal digits: no sign, no leading zero (022 is 18 to some), no exponent. */
function wholeNumber({ min, max }) {
	return (text) => {
		const value = /^(?:0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : NaN;
		if (value >= min && value <= max) return good(value);
		return bad(`expected a whole number from ${min} to ${max}, found ${show(text)}`);
	};
}
const parsePort = wholeNumber({
	min: 1,
	max: 65535
});
/** A number of hosts or a share of the fleet: `4`, `25%`, `33.3%`. */
function parseShare(text) {
	const percent = /^([0-9]{1,3}(?:\.[0-9]{1,3})?)%$/.exec(text)?.[1];
	if (percent !== void 0) {
		const value = Number(percent);
		if (value >= 1 && value <= 100) return good({
			kind: "percent",
			percent: value
		});
	}
	if (/^[1-9][0-9]{0,5}$/.test(text)) return good({
		kind: "count",
		count: Number(text)
	});
	return bad(`expected a number of hosts from 1 or a percentage from 1% to 100%, found ${show(text)}`);
}

// src/inputs/health.ts
const ONLY_WITH_URL = [
	"health-body",
	"health-headers",
	"health-ca"
];
/** The probes; `none` where that was spelled out, undefined where nothing was said. */
function readHealth(form, targets) {
	const url = form.optional("health-url", urlOrNone);
	const settings = readSettings(form);
	if (url === void 0 || url === "none") {
		if (!form.blamed("health-url")) warnUnused(form);
		return url;
	}
	warnAboutAddress(form, {
		url,
		from: settings.from,
		targets
	});
	return {
		url,
		...settings
	};
}
function urlOrNone(text) {
	return text === "none" ? good(text) : parseHealthUrl(text);
}
function readSettings(form) {
	const body = form.optional("health-body", parseBody);
	const ca = form.optional("health-ca", parseCertificates);
	return {
		from: form.setting("health-from", oneOf([
			"target",
			"runner",
			"both"
		])),
		status: form.setting("health-status", parseStatusRanges),
		...body === void 0 ? {} : { body },
		headers: form.optional("health-headers", parseHeaders) ?? [],
		...ca === void 0 ? {} : { ca },
		interval: form.setting("health-interval", duration({ min: 10 })),
		timeout: form.setting("health-timeout", duration({ min: 10 })),
		successes: form.setting("health-successes", wholeNumber({
			min: 1,
			max: 1e4
		})),
		failureLimit: form.setting("failure-limit", wholeNumber({
			min: 0,
			max: 1e6
		}))
	};
}
function warnUnused(form) {
	for (const name of ONLY_WITH_URL) if (form.given(name) !== void 0) form.warn(name, "is not used: \"health-url\" names nothing to probe");
}
function warnAboutAddress(form, probe) {
	const remote = probe.targets.filter((target) => target.kind === "ssh");
	if (remote.length === 0 || probe.url.includes("{host}")) return;
	const host = fillHost(probe.url, "")?.hostname ?? "";
	if (isLoopback$1(host)) {
		if (probe.from !== "target") form.warn("health-url", `seen from the runner, ${show(host)} is the runner itself`);
		return;
	}
	if (remote.length === 1 && remote[0]?.host === host) return;
	const why = remote.some((target) => target.host === host) ? "is only one of the targets" : "is none of the targets";
	form.warn("health-url", `every target is judged by ${show(host)}, which ${why}; {host} stands for the target's name`);
}
function isLoopback$1(host) {
	return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}

// src/inputs/later.ts
/** Inputs that are checked for their shape only: nothing uses them yet. */
const SHAPES$1 = [
	["transport", oneOf(["library", "openssh"])],
	["openssl-version", parseLibraryVersion],
	["pcre2-version", parseLibraryVersion],
	["zlib-version", parseLibraryVersion],
	["max-parallel", parseShare],
	["batch-wait", duration({ min: 0 })],
	["max-failures", (text) => text.endsWith("%") ? parseShare(text) : wholeNumber({
		min: 0,
		max: 1e4
	})(text)],
	["commit-scope", oneOf(["host", "fleet"])]
];
function checkLater(form) {
	for (const [name, parse] of SHAPES$1) form.optional(name, parse);
}
function parseLibraryVersion(text) {
	return /^[0-9]{1,3}(?:\.[0-9]{1,4}){0,3}[a-z]?$/.test(text) ? good(text) : bad(`expected a version such as 3.5.4, found ${show(text)}`);
}

// src/inputs/key-shape.ts
const LONGEST$1 = 65536;
const MAGIC = "openssh-key-v1\0";
const BEGIN = "-----BEGIN ";
const CHANGE_FORMAT = "rewrite a copy of it in the OpenSSH format with \"ssh-keygen -p -f FILE\"";
const NO_HARDWARE = "keys in hardware (sk-…) cannot be used by the library transport: use an ordinary key";
const EXPECTED$1 = "expected the text of a private key, \"-----BEGIN … PRIVATE KEY-----\" and all that follows";
/** In the order in which they are told apart; each message says what it is and what to do, and shows nothing of it. */
const SHAPES = [
	{
		looks: (text) => text.length > LONGEST$1,
		message: "is longer than 64 KiB: that is no private key"
	},
	{
		looks: (text) => /^["']/.test(text),
		message: "stands in quotation marks: store the key without them"
	},
	{
		looks: (text) => text.startsWith("{"),
		message: "is JSON: give only the private key text from it"
	},
	{
		looks: (text) => text.startsWith(BEGIN) && text.includes(String.raw`\n`),
		message: String.raw`holds the two characters "\n" where lines should end: store it with real line breaks`
	},
	{
		looks: (text) => text.startsWith("PuTTY-User-Key-File-3"),
		message: "is a PuTTY key (version 3): convert it with \"puttygen FILE -O private-openssh -o NEWFILE\""
	},
	{
		looks: (text) => /^(?:ssh|ecdsa|sk)-[^ ]*-cert-v0[01]@openssh\.com /.test(text),
		message: "is a user certificate, which the library transport cannot use: give a private key that the host knows itself"
	},
	{
		looks: (text) => text.startsWith("sk-"),
		message: `is a public key; ${NO_HARDWARE}`
	},
	{
		looks: (text) => /^(?:ssh-|ecdsa-)|^-----BEGIN (?:[A-Z]+ )?PUBLIC KEY|^---- BEGIN SSH2 PUBLIC/.test(text),
		message: "is a public key: the private one is in the file of the same name without \".pub\""
	},
	{
		looks: (text) => text.startsWith("SSH PRIVATE KEY FILE FORMAT 1"),
		message: "is a key of SSH protocol 1: make a new one"
	},
	{
		looks: (text) => text.includes("BEGIN PGP "),
		message: "is a PGP block, not an SSH key"
	},
	{
		looks: (text) => text.includes("BEGIN CERTIFICATE"),
		message: "holds a certificate: give only the private key"
	},
	{
		looks: (text) => text.includes("BEGIN PRIVATE KEY") || text.includes("BEGIN ENCRYPTED PRIVATE KEY"),
		message: `is a PKCS#8 key, which cannot be read: ${CHANGE_FORMAT} (an Ed25519 key needs OpenSSH 9.6 for that)`
	},
	{
		looks: (text) => blocks(text) > 1,
		message: "holds more than one private key: give one"
	},
	{
		looks: isEncoded,
		message: "is the base64 form of a key: decode it first (\"base64 -d\")"
	},
	{
		looks: isPath,
		message: "looks like a path: give the text of the key (on the command line: @FILE)"
	},
	{
		looks: (text) => /^[A-Za-z0-9+/=\s]{60,}$/.test(text),
		message: `has lost its first and last line; ${EXPECTED$1}`
	},
	{
		looks: (text) => !text.includes(BEGIN) && !text.startsWith("PuTTY-"),
		message: EXPECTED$1
	},
	{
		looks: (text) => text.includes(BEGIN) && !text.startsWith(BEGIN),
		message: `has text before its first line; ${EXPECTED$1}`
	},
	{
		looks: (text) => text.startsWith(BEGIN) && !text.includes("-----END "),
		message: "is cut off: its last line is missing"
	},
	{
		looks: (text) => text.startsWith(BEGIN) && !text.includes("\n"),
		message: "has spaces where lines should end: store it with real line breaks"
	},
	{
		looks: (text) => /\n[ \t]+[^\s]/.test(text),
		message: "is indented: store its lines without leading spaces"
	},
	{
		looks: (text) => !text.endsWith("-----") && text.startsWith(BEGIN),
		message: "has more text after its last line"
	}
];
/**
* Why this text cannot be a private key that ssh2 reads, told by its shape alone; undefined where it may be one.
* Expects trimmed text with LF line ends.
*/
function keyShapeProblem(text) {
	return SHAPES.find(({ looks }) => looks(text))?.message ?? openSshProblem(text);
}
/** True where a shape as such says that the key is stored encrypted. */
function isEncrypted(text) {
	return (openSshHeader(text)?.cipher ?? "none") !== "none" || /^Proc-Type: 4,ENCRYPTED$|^Encryption: aes/m.test(text);
}
function openSshProblem(text) {
	const header = openSshHeader(text);
	if (header === void 0) return void 0;
	if (header.body.includes("sk-ssh-") || header.body.includes("sk-ecdsa-")) return NO_HARDWARE;
	if (!header.cipher.startsWith("chacha20")) return void 0;
	return "is encrypted with chacha20-poly1305, which cannot be read: rewrite a copy with \"ssh-keygen -p -Z aes256-ctr -f FILE\"";
}
function openSshHeader(text) {
	const base64 = /^-----BEGIN OPENSSH PRIVATE KEY-----\n([^-]*)/.exec(text)?.[1];
	if (base64 === void 0) return void 0;
	const bytes = Buffer.from(base64, "base64");
	const start = 15;
	if (bytes.length < 19 || bytes.toString("latin1", 0, start) !== MAGIC) return void 0;
	const length = Math.min(bytes.readUInt32BE(start), 64);
	return {
		cipher: bytes.toString("latin1", 19, 19 + length),
		body: bytes.toString("latin1")
	};
}
function blocks(text) {
	return text.split(/-----BEGIN [A-Z ]*PRIVATE KEY-----/).length - 1;
}
function isEncoded(text) {
	return /^[A-Za-z0-9+/=\s]+$/.test(text) && Buffer.from(text, "base64").toString("latin1").includes("PRIVATE KEY-----");
}
function isPath(text) {
	return /^[~./@][^\n]{0,300}$/.test(text) || /^[A-Za-z]:\\/.test(text);
}

// src/inputs/private-key.ts
const SMALLEST_RSA = 2048;
/** A private key that ssh2 can use with this passphrase; as normalised text. Messages show nothing of either. */
async function parsePrivateKey(text, passphrase) {
	const shape = keyShapeProblem(text);
	if (shape !== void 0) return bad(shape);
	if (isEncrypted(text) && passphrase === void 0) return bad("is encrypted: give its \"passphrase\", or a key that needs none");
	const parsed = await read(text, passphrase);
	if (parsed instanceof Error) return bad(explain(parsed.message));
	const weakness = weaknessOf(parsed);
	if (weakness !== void 0) return bad(weakness);
	const idle = passphrase !== void 0 && !isEncrypted(text);
	return good(`${text}\n`, idle ? ["is not encrypted: the \"passphrase\" is not used"] : []);
}
async function read(text, passphrase) {
	const { default: ssh2 } = await Promise.resolve().then(() => require("./lib2.cjs")).then((n) => /* @__PURE__ */ require_rolldown_runtime.__toESM(n.require_lib(), 1));
	const parsed = ssh2.utils.parseKey(text, passphrase);
	if (!Array.isArray(parsed)) return parsed;
	const [only, ...others] = parsed;
	return only === void 0 || others.length > 0 ? /* @__PURE__ */ new Error("holds more than one private key: give one") : only;
}
function explain(message) {
	if (/passphrase given/.test(message)) return "is encrypted: give its \"passphrase\", or a key that needs none";
	if (/bad passphrase|bad decrypt/i.test(message)) return "cannot be decrypted: is the \"passphrase\" the right one?";
	if (/more than one/.test(message)) return message;
	if (/Unsupported(?!.*magic)/.test(message)) return "is of a kind that cannot be used: make an Ed25519 key (\"ssh-keygen -t ed25519\")";
	return "is damaged: it starts and ends like a private key, but what is between cannot be read. Was it copied whole?";
}
function weaknessOf(key) {
	if (!key.isPrivateKey()) return "is a public key: give the private one";
	const advice = "make a new one with \"ssh-keygen -t ed25519\"";
	if (key.type === "ssh-dss") return `is a DSA key, which servers no longer accept: ${advice}`;
	if (key.type !== "ssh-rsa") return void 0;
	const bits = rsaBits(key.getPublicSSH());
	return bits < SMALLEST_RSA ? `is an RSA key of ${bits} bits, expected at least ${SMALLEST_RSA}: ${advice}` : void 0;
}
/** The public key blob is three length-prefixed fields: the type, the exponent, the modulus. */
function rsaBits(blob) {
	let offset = 0;
	for (let field = 0; field < 2; field++) offset += 4 + blob.readUInt32BE(offset);
	const modulus = blob.subarray(offset + 4);
	const zeros = modulus[0] === 0 ? 1 : 0;
	return (modulus.length - zeros) * 8 - (Math.clz32(modulus[zeros] ?? 0) - 24);
}

// src/ssh/host-key.ts
/** How many length-prefixed strings a public key blob of a type consists of, the type's own name included. */
const FIELDS = {
	"ssh-ed25519": 2,
	"ecdsa-sha2-nistp256": 3,
	"ecdsa-sha2-nistp384": 3,
	"ecdsa-sha2-nistp521": 3,
	"ssh-rsa": 3,
	"ssh-dss": 5,
	"sk-ssh-ed25519@openssh.com": 3,
	"sk-ecdsa-sha2-nistp256@openssh.com": 4
};
/** By key type, in order of preference; a type that is not here is not accepted any more. */
const SIGNATURES = {
	"ssh-ed25519": ["ssh-ed25519"],
	"ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
	"ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
	"ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
	"ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"]
};
const MODERN_ALGORITHMS = Object.values(SIGNATURES).flat();
/** In order of preference, for these key types only. */
function algorithmsFor(keyTypes) {
	return Object.entries(SIGNATURES).flatMap(([type, algorithms]) => keyTypes.has(type) ? algorithms : []);
}
/** `SHA256:…`, unpadded base64, as every OpenSSH tool prints it. */
function fingerprintOf(key) {
	return `SHA256:${(0, node_crypto.createHash)("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}
/** The type that a public key blob itself claims to be; `unknown type` where it is no key blob. */
function keyTypeOf(key) {
	const type = splitBlob(key)?.[0]?.toString("latin1") ?? "";
	return /^[\w@.-]{1,64}$/.test(type) ? type : "unknown type";
}
/** What is wrong with the key of a line `… TYPE BASE64`, as the end of a sentence; undefined: nothing. */
function keyProblem(typeWord, base64) {
	if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64)) return "the key is not whole base64: was the line cut or wrapped?";
	const fields = splitBlob(Buffer.from(base64, "base64"));
	if (fields === void 0) return "the key ends early: was the line cut?";
	const blobType = fields[0]?.toString("latin1") ?? "";
	if (blobType !== typeWord) return `it says ${quoted$1(typeWord)}, but the key itself is of type ${quoted$1(blobType)}`;
	const expected = FIELDS[typeWord];
	if (typeWord === "ssh-ed25519" && fields[1]?.length !== 32 || expected !== void 0 && fields.length !== expected) return `the key is not a complete ${typeWord} key: was the line cut?`;
}
/** Undefined where the blob is not a sequence of whole strings. */
function splitBlob(blob) {
	const fields = [];
	let at = 0;
	while (at < blob.length) {
		if (at + 4 > blob.length) return void 0;
		const end = at + 4 + blob.readUInt32BE(at);
		if (end > blob.length) return void 0;
		fields.push(blob.subarray(at + 4, end));
		at = end;
	}
	return fields.length === 0 ? void 0 : fields;
}
/** Only what looks like a type is repeated: anything else may be a secret pasted into the wrong place. */
function quoted$1(type) {
	return /^[a-z][a-z0-9@.-]{2,50}$/.test(type) ? type : "something that is no key type";
}

// src/ssh/host-patterns.ts
const SHA1_BYTES = 20;
/** A sentence where the word is malformed. */
function hostPatterns(word) {
	if (word.startsWith("|")) return hashedPattern(word);
	const parts = word.toLowerCase().split(",");
	const denied = parts.filter((part) => part.startsWith("!")).map((part) => part.slice(1));
	const allowed = parts.filter((part) => !part.startsWith("!"));
	if ([...allowed, ...denied].includes("")) return "expected host names with a comma between them, found an empty one";
	return {
		kind: "plain",
		allowed,
		denied
	};
}
/** Whether a line with these patterns is about a host that is called by any of `names` (lower case). */
function matchesHost(patterns, names) {
	if (patterns.kind === "hashed") return names.some((name) => hashes(patterns, name));
	const matches = (pattern) => names.some((name) => matchesGlob(pattern, name));
	return !patterns.denied.some(matches) && patterns.allowed.some(matches);
}
/**
* What a host is called in known_hosts: with its port, except that port 22 is usually left out. Unlike ssh(1), an
* entry without a port does not vouch for another port of the same name.
*/
function lookupNames(host) {
	const name = host.name.toLowerCase();
	const withPort = `[${name}]:${host.port}`;
	return host.port === 22 ? [name, withPort] : [withPort];
}
function hashedPattern(word) {
	const [, version, salt = "", digest = "", ...rest] = word.split("|");
	if (version !== "1" || rest.length > 0) return "expected a hashed host name of the form |1|salt|digest";
	const bytes = {
		salt: Buffer.from(salt, "base64"),
		digest: Buffer.from(digest, "base64")
	};
	return bytes.salt.length === SHA1_BYTES && bytes.digest.length === SHA1_BYTES ? {
		kind: "hashed",
		...bytes
	} : "expected a hashed host name of 20 + 20 bytes: was the line cut?";
}
function hashes(patterns, name) {
	return (0, node_crypto.timingSafeEqual)((0, node_crypto.createHmac)("sha1", patterns.salt).update(name).digest(), patterns.digest);
}
/** `*` and `?` only. Goes back to the last star at most, so that no pattern takes exponential time. */
function matchesGlob(pattern, name) {
	let [p, n, star, retry] = [
		0,
		0,
		-1,
		0
	];
	while (n < name.length) if (pattern[p] === "*") {
		star = p++;
		retry = n;
	} else if (pattern[p] === "?" || pattern[p] === name[n]) {
		p++;
		n++;
	} else if (star >= 0) {
		p = star + 1;
		n = ++retry;
	} else return false;
	return /^\**$/.test(pattern.slice(p));
}

// src/ssh/fingerprints.ts
const EXPECTED = "expected SHA256: and 43 base64 characters, as `ssh-keygen -lf` prints it";
const BODY = /^[A-Za-z0-9+/]{43}=?$/;
/** Reads pins, one a line; blank lines and `#` comments do not count. */
function parseFingerprints(lines) {
	const result = {
		pins: [],
		problems: [],
		notes: []
	};
	for (const [index, raw] of lines.entries()) {
		const line = raw.trim();
		if (line === "" || line.startsWith("#")) continue;
		const problem = problemOf(line);
		if (problem === void 0) add(result, line);
		else result.problems.push(`entry ${index + 1}: ${problem}`);
	}
	return result;
}
function add(result, line) {
	const pin = line.replace(/=+$/, "");
	if (pin !== line) result.notes.push(`${pin}: the padding "=" at its end was left out`);
	if (!result.pins.includes(pin)) result.pins.push(pin);
}
function problemOf(line) {
	if (/\s/.test(line)) return `${EXPECTED}, found several words: keep only the one that starts with SHA256:`;
	return formProblem(line) ?? prefixProblem(line) ?? bodyProblem(line.slice(7));
}
/** Other things than a SHA-256 fingerprint, told apart by their shape. */
function formProblem(line) {
	if (/^(?:\*|any|all|none|no|off|false|yes|accept-new|ignore|skip)$/i.test(line)) return `${EXPECTED}, found ${line}: there is no way to trust any key that comes along`;
	if (/^md5:/i.test(line) || /^(?:[0-9a-f]{2}:){15}[0-9a-f]{2}$/i.test(line)) return `${EXPECTED}, found an MD5 fingerprint, which can be forged: take it again with \`ssh-keygen -lf\``;
	if (/^sha-?1:/i.test(line)) return `${EXPECTED}, found a SHA-1 fingerprint, which can be forged`;
	if (/^(?:sha256:)?(?:[0-9a-f]{2}:?){31}[0-9a-f]{2}$/i.test(line)) return `${EXPECTED}, found the digest in hexadecimal`;
	if (/^(?:ssh-|ecdsa-|AAAA)/.test(line)) return `${EXPECTED}, found a public key: that belongs into known-hosts`;
}
function prefixProblem(line) {
	if (line.startsWith("SHA256:")) return void 0;
	if (BODY.test(line)) return `${EXPECTED}, found no prefix: write SHA256: in front of it`;
	if (!/^sha256:/i.test(line)) return `${EXPECTED}, found something else`;
	return `${EXPECTED}, found the prefix in other letters: was it lower-cased? Upper and lower case differ in it`;
}
function bodyProblem(body) {
	if (!/^[A-Za-z0-9+/]+=*$/.test(body)) return `${EXPECTED}, found characters that base64 does not have`;
	if (!BODY.test(body)) return `${EXPECTED}, found ${body.replace(/=+$/, "").length} characters behind SHA256:`;
	if (!/[A-Z]/.test(body)) return `${EXPECTED}, found only lower-case letters: upper and lower case differ in it`;
	const bare = body.replace("=", "");
	return Buffer.from(bare, "base64").toString("base64").replace(/=+$/, "") === bare ? void 0 : `${EXPECTED}, found a last character that no digest ends in: was it copied whole?`;
}

// src/ssh/known-hosts.ts
/** Reads known_hosts text: the format of sshd(8), LF or CRLF. Any problem means that the text must not be relied on. */
function parseKnownHosts(text) {
	const entries = [];
	const problems = [];
	for (const [index, raw] of lines(text).entries()) {
		const content = raw.trim();
		if (content === "" || content.startsWith("#")) continue;
		const entry = parseLine(content, index + 1);
		if (typeof entry === "string") problems.push(`line ${index + 1}: ${entry}`);
		else entries.push(entry);
	}
	const unusable = problems.length === 0 ? whyUnusable(entries) : void 0;
	return {
		entries,
		problems: unusable === void 0 ? problems : [unusable]
	};
}
function lines(text) {
	return text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
}
/** A sentence where the line is malformed. */
function parseLine(content, line) {
	if (content.startsWith("-----")) return "expected \"host type key\", found a PEM block: is this another secret?";
	const words = content.split(/[ \t]+/);
	const marker = parseMarker(words);
	if (marker === void 0) return "expected the marker @revoked or @cert-authority, found another word behind \"@\"";
	const [hosts, keyType, base64] = marker === "none" ? words : words.slice(1);
	if (hosts === void 0 || keyType === void 0 || base64 === void 0) return `expected "host type key", found ${words.length === 1 ? "one word" : `${words.length} words`}`;
	if (/^\d+$/.test(keyType)) return "expected \"host type key\", found a key of SSH protocol 1, which nobody speaks now";
	const patterns = hostPatterns(hosts);
	if (typeof patterns === "string") return patterns;
	return keyProblem(keyType, base64) ?? {
		line,
		marker,
		hosts: patterns,
		keyType,
		key: Buffer.from(base64, "base64")
	};
}
function parseMarker(words) {
	if (!words[0]?.startsWith("@")) return "none";
	if (words[0] === "@revoked") return "revoked";
	return words[0] === "@cert-authority" ? "cert-authority" : void 0;
}
function whyUnusable(entries) {
	const plain = entries.filter((entry) => entry.marker === "none");
	if (plain.some((entry) => algorithmsFor(/* @__PURE__ */ new Set([entry.keyType])).length > 0)) return void 0;
	const why = "no usable line: no host could be recognised with it";
	if (entries.length === 0) return `${why} (only comments or nothing at all: was the host down when it was scanned?)`;
	if (plain.length > 0) return `${why} (its keys are of types that are not accepted: ${typesOf(plain)})`;
	if (entries.some((entry) => entry.marker === "cert-authority")) return `${why} (@cert-authority is unsupported by this transport: list the host's own key, or use transport: openssh)`;
	return `${why} (it only revokes keys)`;
}
function typesOf(entries) {
	return [...new Set(entries.map((entry) => entry.keyType))].join(", ");
}

// src/inputs/trust.ts
const HOW_TO = `take it on a network that you trust with "ssh-keyscan HOST", compare it with what
"ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" prints on the host, and store it`.replaceAll("\n", " ");
/** Who the hosts must prove to be. Without either input, nobody is trusted: a mistake where SSH is used. */
function readTrust(form, use) {
	const text = form.given("known-hosts");
	const entries = form.optional("known-hosts", parseKnown);
	const fingerprints = form.optional("fingerprint", parsePins) ?? [];
	if (use.ssh && text === void 0 && form.given("fingerprint") === void 0 && !form.blamed("known-hosts")) form.problem("known-hosts", `the host keys are needed, or "fingerprint": no host is trusted unseen; ${HOW_TO}`);
	if (entries !== void 0 && fingerprints.length > 0) refuseDisagreement(form, {
		...use,
		entries,
		fingerprints
	});
	return {
		...entries === void 0 || text === void 0 ? {} : { knownHosts: text },
		fingerprints
	};
}
function parseKnown(text) {
	if (!/\s/.test(text)) return bad(`expected known_hosts lines ("host type key"), found ${describeWord(text)}`);
	const { entries, problems } = parseKnownHosts(text);
	return problems.length > 0 ? bad(...problems) : good(entries);
}
function describeWord(text) {
	if (/^[~./]/.test(text)) return `what looks like a path: ${show(text)}. Give the text of the file`;
	if (text.startsWith("SHA256:")) return "a fingerprint: that belongs into \"fingerprint\"";
	return `${show(text)}: there is no way to trust any key that comes along`;
}
function parsePins(text) {
	const { pins, problems, notes } = parseFingerprints(splitList(text));
	if (problems.length > 0) return bad(...problems);
	return pins.length > 0 ? good(pins, notes) : bad("expected at least one SHA256:… fingerprint, found only comments");
}
/** Both must agree at run time; where they cannot, no connection would ever succeed. */
function refuseDisagreement(form, trust) {
	for (const target of trust.targets) {
		if (target.kind === "local") continue;
		const names = lookupNames({
			name: target.host,
			port: target.port
		});
		const keys = trust.entries.filter((entry) => entry.marker === "none" && matchesHost(entry.hosts, names));
		const agreed = keys.some((entry) => trust.fingerprints.includes(fingerprintOf(entry.key)));
		if (keys.length === 0 || agreed) continue;
		form.problem("fingerprint", `none of these is a key that "known-hosts" has for ${show(target.name)}; both must agree`);
	}
}

// src/inputs/ssh.ts
async function readSsh(form, use) {
	const connectTimeout = form.setting("timeout", duration({ min: 1 }));
	return {
		...await readLogin(form, use),
		...readTrust(form, use),
		connectTimeout
	};
}
async function readLogin(form, { ssh, agent }) {
	const passphrase = readPassphrase(form);
	const text = form.given("key");
	if (!ssh || form.blamed("key")) return {};
	if (text === void 0) return readAgent(form, agent);
	const key = form.take("key", await parsePrivateKey(text, passphrase));
	return {
		...key === void 0 ? {} : { key },
		...passphrase === void 0 ? {} : { passphrase }
	};
}
function readPassphrase(form) {
	const passphrase = form.given("passphrase");
	if (passphrase === void 0) return void 0;
	if (passphrase.length >= 4) return passphrase;
	form.problem("passphrase", `is shorter than ${4} characters, so that it could not be masked in the log`);
}
function readAgent(form, agent) {
	if (agent === void 0 || agent === "") {
		form.problem("key", "is empty, and SSH_AUTH_SOCK names no agent: is the secret defined, and for this environment?");
		return {};
	}
	if ((0, node_fs.statSync)(agent, { throwIfNoEntry: false })?.isSocket() === true) return { agent };
	form.problem("key", `is empty, and SSH_AUTH_SOCK names no agent's socket: ${show(agent)}`);
	return {};
}

// src/inputs/sudo.ts
/** A command and its options as words. No shell reads it: quotes and `$` have no place in it. */
function parseSudo(text) {
	const words = text.split(/[ \t]+/).filter((word) => word !== "");
	const odd = words.find((word) => !/^[A-Za-z0-9_.,:=@%+/-]+$/.test(word));
	if (odd !== void 0) return bad(`expected plain words such as sudo -n, found ${show(odd)} in ${show(text)}`);
	if (words[0]?.startsWith("-") === true) return bad(`expected a command first, found the option ${show(words[0])}`);
	return good(words);
}

// src/host/preflight/codes.ts
/** By group, in the order of the documentation (`docs/preflight.md` is made from this). */
const CODES = {
	"The running master": [
		{
			code: "not-running",
			severity: "refuses",
			found: "no master runs, or none is the one that `pid-file` names",
			why: "an upgrade hands over the sockets of a running one",
			fix: "start nginx, or correct `pid-file`"
		},
		{
			code: "ambiguous-master",
			severity: "refuses",
			found: "several masters run, and none was named",
			why: "the wrong one would be upgraded",
			fix: "`pid-file`"
		},
		{
			code: "master-user",
			severity: "refuses",
			found: "the master runs as another user than the one who acts, and is no system service from a directory that only root can write to",
			why: "anybody may call a process so; what it names must not be run with other rights than its own",
			fix: "log in as that user, or `sudo: sudo -n -u NAME`; restart the service once where its file was replaced since it started"
		},
		{
			code: "master-hidden",
			severity: "refuses",
			found: "the master runs as the login, which may not look into it: its file has capabilities",
			why: "nothing could be told of it, and only root can give capabilities to the new file",
			fix: "run it as a system service from a directory of root, and log in with sudo"
		},
		{
			code: "daemon-off",
			severity: "refuses",
			found: "`daemon off`",
			why: "nginx ignores USR2, or later WINCH, while its parent is the one from its start",
			fix: "`daemon on` under a unit of Type=forking; in a container, roll the container",
			source: "ngx_process.c: ngx_signal_handler"
		},
		{
			code: "master-process-off",
			severity: "refuses",
			found: "`master_process off`",
			why: "a single process notes the signal and never acts on it",
			fix: "remove it and restart once",
			source: "ngx_process_cycle.c: ngx_single_process_cycle"
		},
		{
			code: "container-pid1",
			severity: "refuses",
			found: "the only master lies in another pid namespace",
			why: "it is a container, in which nginx ignores USR2",
			fix: "roll the container",
			source: "ngx_process.c: ngx_signal_handler"
		},
		{
			code: "upgrade-in-progress",
			severity: "refuses",
			found: "an upgrade was begun and not ended, or the old master of the last one still drains, or another binary is held",
			why: "nginx ignores a second USR2",
			fix: "end it; the message names the signals",
			source: "ngx_process.c: ngx_signal_handler"
		},
		{
			code: "stale-oldbin",
			severity: "warns",
			found: "`PIDFILE.oldbin` is left from an earlier upgrade",
			why: "scripts would signal the number in it; nginx overwrites it",
			fix: "remove it"
		},
		{
			code: "pid-file-missing",
			severity: "survivable",
			found: "there is no pid file",
			why: "the master could not rename it, and could never reload again; where it is accepted, it is written again first",
			fix: "write the number of the master into it",
			source: "nginx.c: ngx_exec_new_binary"
		},
		{
			code: "pid-file-wrong",
			severity: "refuses",
			found: "the pid file is empty or names another process, or a master whose configuration names another file",
			why: "whoever signals by it hits another process, or none; whoever may write to its directory could have any instance upgraded",
			fix: "find out who wrote it, and put it right"
		},
		{
			code: "pid-directory",
			severity: "refuses",
			found: "the directory of the pid file cannot be written, or `.oldbin` is a directory",
			why: "the rename at USR2 fails, and the master can never reload again",
			fix: "make it writable for the master",
			source: "nginx.c: ngx_exec_new_binary"
		},
		{
			code: "signals-blocked",
			severity: "refuses",
			found: "the master does not catch, or blocks, one of the signals; or it runs several threads",
			why: "a module or an engine changed what nginx set; the signal would be lost or kill it",
			fix: "restart without that module, or upgrade by restart"
		},
		{
			code: "state-unreadable",
			severity: "refuses",
			found: "the books of an upgrade under way, below `/var/lib/nginx-hot-upgrade`, cannot be read",
			why: "they are damaged, or another version of this program wrote them; nothing is signalled or removed on a guess",
			fix: "let the version that began it end it, or wait for its guard; else look which master serves, and remove the directory"
		},
		{
			code: "locked",
			severity: "refuses",
			found: "another run is at work on this instance",
			why: "two would undo each other",
			fix: "wait, or `rollback`"
		},
		{
			code: "shared-binary",
			severity: "survivable",
			found: "another master runs the same file",
			why: "it would take the new one at its next restart",
			fix: "a binary for each, or upgrade the other next"
		}
	],
	"The file and its surroundings": [
		{
			code: "unsafe-path",
			severity: "refuses",
			found: "a path of the instance (binary, working directory, log, pid file, module, listener) holds control characters or `|`",
			why: "such a name could pass for something else where it is written down; local users may have made it for that",
			fix: "rename it, and reload"
		},
		{
			code: "command-line-unreadable",
			severity: "refuses",
			found: "the title of the master has more than 4096 bytes",
			why: "its options are read from there, and would be cut",
			fix: "move what `-g` says into the configuration, and restart once"
		},
		{
			code: "path-not-of-unit",
			severity: "refuses",
			found: "the master of a service with `User=` says that it was started by another file than the unit starts",
			why: "that user can make it name any program, which would then be replaced with root’s rights",
			fix: "ExecStart= with the path of the binary, and restart once"
		},
		{
			code: "binary-directory",
			severity: "survivable",
			found: "root runs the binary, and another user owns its directory, or one that leads to it",
			why: "that user decides what root runs; where it is accepted, all files there are handled with that user’s rights, never root’s. Where several users can write there it refuses for good",
			fix: "let root alone own and write them"
		},
		{
			code: "module-directory",
			severity: "refuses",
			found: "modules go with the new binary, and others can write to their directories than to that of the binary",
			why: "neither user’s rights would do for both",
			fix: "let root alone own and write them"
		},
		{
			code: "relative-argv0",
			severity: "survivable",
			found: "nginx was not started by an absolute path",
			why: "exec goes by that word, without PATH, from the master’s directory; where it leads to another file or none it refuses for good",
			fix: "start it by an absolute path, and restart once",
			source: "nginx.c: ngx_exec_new_binary"
		},
		{
			code: "argv0-not-running-file",
			severity: "survivable",
			found: "at the path lies another file than the one that runs",
			why: "a package or a deployment replaced it, and it is what a rollback would bring back",
			fix: "restart once"
		},
		{
			code: "wrapper-script",
			severity: "refuses",
			found: "the path leads to a script",
			why: "replacing it would not replace nginx",
			fix: "start nginx by the path of its binary"
		},
		{
			code: "other-root",
			severity: "refuses",
			found: "the master sees another directory at the path of its binary (a chroot, RootDirectory=, a mount of its own)",
			why: "it would not find the new file there",
			fix: "keep the binary where both see it"
		},
		{
			code: "architecture",
			severity: "refuses",
			found: "the binary is for another processor",
			why: "exec would fail",
			fix: "build or download the right one",
			source: "execve(2): ENOEXEC"
		},
		{
			code: "libc",
			severity: "refuses",
			found: "it needs another C library, or a newer one",
			why: "the loader would refuse it",
			fix: "build on the distribution and release of the host"
		},
		{
			code: "missing-library",
			severity: "refuses",
			found: "it needs a library that the host does not have",
			why: "the loader would refuse it",
			fix: "install the package, or build on the same release"
		},
		{
			code: "noexec",
			severity: "refuses",
			found: "the file system of the binary is mounted `noexec`",
			why: "exec would fail",
			fix: "remount it",
			source: "execve(2): EACCES"
		},
		{
			code: "immutable",
			severity: "refuses",
			found: "the binary or its directory cannot be written",
			why: "the new file could not take its place",
			fix: "remount it writable, `chattr -i`, or become root"
		},
		{
			code: "process-limit",
			severity: "refuses",
			found: "the limits of nginx, of its cgroup or its user, leave no room for as many workers again",
			why: "fork would fail, and the master could never reload again",
			fix: "raise TasksMax=",
			source: "ngx_process.c: ngx_spawn_process"
		},
		{
			code: "mandatory-access-control",
			severity: "warns",
			found: "AppArmor or SELinux confines the master",
			why: "its policy may forbid exec of the new file, or the rename of the pid file",
			fix: "allow both in the profile: `mrix` for the binary, `rw` for `PIDFILE` and `PIDFILE.oldbin`"
		},
		{
			code: "environment-lost",
			severity: "warns",
			found: "nginx was started with variables that it does not hand on, or with a preloaded library",
			why: "the new master gets nothing but TZ and what `env` names",
			fix: "name them with `env`, or link the library in",
			source: "nginx.c: ngx_set_environment"
		},
		{
			code: "capabilities",
			severity: "warns",
			found: "the binary has file capabilities",
			why: "they lie on the file, not on the path; they are set on the new one as well",
			fix: "nothing to do; grant them in the unit to be independent of it"
		},
		{
			code: "package-owned",
			severity: "warns",
			found: "the binary belongs to a package",
			why: "its next update replaces the new file, and may restart nginx",
			fix: "put the package on hold, or ship yours as a package"
		},
		{
			code: "disk-space",
			severity: "refuses",
			found: "there is no room beside the binary for three of the new one",
			why: "it could not be staged and the old one not be kept",
			fix: "free some"
		},
		{
			code: "memory",
			severity: "survivable",
			found: "less memory is free than the old generation holds",
			why: "both run side by side for a while, and the kernel would end one of them",
			fix: "free some, or raise MemoryMax="
		}
	],
	"Paths that both generations share": [
		{
			code: "prefix-differs",
			severity: "survivable",
			found: "another `--prefix`, and no `-p`",
			why: "every relative path leads elsewhere",
			fix: "build with the same"
		},
		{
			code: "conf-path-differs",
			severity: "refuses",
			found: "another `--conf-path`, and no `-c`",
			why: "the new master reads another configuration",
			fix: "build with the same"
		},
		{
			code: "pid-path-differs",
			severity: "refuses",
			found: "another `--pid-path`, and no `pid`",
			why: "systemd and scripts lose the new master",
			fix: "build with the same, or set `pid` and reload"
		},
		{
			code: "lock-path-differs",
			severity: "warns",
			found: "another `--lock-path`, and no `lock_file`",
			why: "the file is not used where a processor has atomic operations",
			fix: "build with the same"
		},
		{
			code: "error-log-path-differs",
			severity: "survivable",
			found: "another `--error-log-path`, and no `error_log`",
			why: "errors go where nobody looks, or nowhere",
			fix: "build with the same, or set `error_log`"
		},
		{
			code: "http-log-path-differs",
			severity: "survivable",
			found: "another `--http-log-path`, and no `access_log`",
			why: "requests are logged elsewhere, or nginx does not start where that directory is missing",
			fix: "build with the same, or set `access_log`"
		},
		{
			code: "temp-path-differs",
			severity: "survivable",
			found: "another path for temporary files",
			why: "nginx creates it with a new owner, or does not start where its parent is missing",
			fix: "build with the same",
			source: "ngx_file.c: ngx_create_paths"
		},
		{
			code: "user-differs",
			severity: "refuses",
			found: "another `--user`, and no `user`",
			why: "temporary and cache directories change hands, which a rollback does not undo",
			fix: "build with the same, or set `user` and reload",
			source: "ngx_file.c: ngx_create_paths"
		},
		{
			code: "modules-path-differs",
			severity: "warns",
			found: "another `--modules-path`",
			why: "`load_module` goes by the prefix, so only installations differ",
			fix: "build with the same to have one place"
		},
		{
			code: "flavour-differs",
			severity: "refuses",
			found: "the running server is another one of the family",
			why: "they hand over sockets under different names, so that two masters would run",
			fix: "the same flavour; a change needs a restart"
		}
	],
	"The build": [
		{
			code: "module-lost",
			severity: "refuses",
			found: "a module is missing that the running one has: a warning, and a refusal where the configuration uses it",
			why: "the new binary refuses that configuration",
			fix: "build with the same arguments"
		},
		{
			code: "module-signature",
			severity: "refuses",
			found: "a dynamic module that is loaded was built for another version or with other arguments",
			why: "the new binary refuses it",
			fix: "build both together: `configure-args: inherit`, `add-modules`",
			source: "ngx_module.c: ngx_add_module"
		},
		{
			code: "tls-library-differs",
			severity: "warns",
			found: "TLS comes from another library or release",
			why: "protocols, ciphers, providers and engines may differ",
			fix: "build against the library of the target, or try its TLS settings first"
		},
		{
			code: "hardening-lost",
			severity: "warns",
			found: "compiler options that harden the running one are missing",
			why: "an attack has it easier",
			fix: "build with the same `--with-cc-opt` and `--with-ld-opt`"
		},
		{
			code: "downgrade",
			severity: "refuses",
			found: "the new version is lower than the running one",
			why: "it is mostly a mistake",
			fix: "`allow-downgrade: true`"
		}
	],
	"The configuration": [
		{
			code: "config-test-failed",
			severity: "refuses",
			found: "the new binary refuses the configuration",
			why: "it would not start",
			fix: "correct it; the message has the words of nginx"
		},
		{
			code: "config-test-timeout",
			severity: "refuses",
			found: "`nginx -t` of the new binary did not end within a minute",
			why: "something that the configuration names never answers: a pipe without a reader, a resolver; the new master would wait for it as well",
			fix: "find out what it waits for"
		},
		{
			code: "rehearsal-failed",
			severity: "refuses",
			found: "with `rehearse: true`: the running master could not execute a script in place of the binary",
			why: "what hinders it would hinder the new binary",
			fix: "remove it: the evidence has the words of the running master"
		},
		{
			code: "config-drift",
			severity: "survivable",
			found: "a file of the configuration is newer than the workers",
			why: "the upgrade would deploy it, and its errors would be blamed on the new version; a rollback keeps what was in memory",
			fix: "reload first, then upgrade"
		},
		{
			code: "network-namespace",
			severity: "refuses",
			found: "the master serves in a network namespace of its own, and `health-from: target` would ask in another one",
			why: "somebody else would answer the probes, or nobody",
			fix: "`health-from: runner` with a URL that leads to it, or `health-url: none`"
		},
		{
			code: "not-attributed",
			severity: "warns",
			found: "the listening socket at the probed address is none that the master holds, or the address is none of the target’s own",
			why: "a good answer may be somebody else’s word; the verdict says that it is not attributed",
			fix: "probe an address and port on which this nginx itself listens"
		},
		{
			code: "health-red-before",
			severity: "survivable",
			found: "the health URL is red before any change",
			why: "it could prove nothing; where it is accepted, only what turns red counts",
			fix: "mend the service or the health inputs"
		},
		{
			code: "unix-listen-removed",
			severity: "refuses",
			found: "a unix socket that is listened on is no longer in the configuration",
			why: "the new master deletes its path, and a rollback leaves the old one unreachable",
			fix: "reload first, then upgrade",
			source: "ngx_connection.c: ngx_close_listening_sockets"
		},
		{
			code: "listen-changed",
			severity: "survivable",
			found: "addresses were added or removed since the last reload; more sockets with `reuseport` only warn",
			why: "the new master would bind, which may fail where the old one still holds the port",
			fix: "reload first, then upgrade",
			source: "ngx_cycle.c: ngx_init_cycle"
		},
		{
			code: "reuseport-fewer-workers",
			severity: "refuses",
			found: "`reuseport`, and fewer workers than sockets",
			why: "nobody accepts on the sockets that are too many: requests hang until the old master ends",
			fix: "reload first, then upgrade",
			source: "ngx_connection.c: ngx_clone_listening"
		},
		{
			code: "quic",
			severity: "survivable",
			found: "`listen … quic`",
			why: "QUIC connections do not survive, and new ones may fail while old workers leave",
			fix: "nothing yet in nginx; a short `worker_shutdown_timeout` helps"
		},
		{
			code: "passphrase-key",
			severity: "refuses",
			found: "a private key wants a passphrase, and there is no `ssl_password_file`",
			why: "the new master has no terminal to ask at",
			fix: "`ssl_password_file`, or a key without one"
		}
	],
	"The service": [
		{
			code: "systemd-type",
			severity: "refuses",
			found: "the unit is not of Type=forking",
			why: "systemd takes the end of the old master for the end of the service",
			fix: "Type=forking with PIDFile=",
			source: "systemd service.c"
		},
		{
			code: "systemd-no-pidfile",
			severity: "refuses",
			found: "Type=forking without PIDFile=",
			why: "systemd ends every process of the new generation when the old master ends",
			fix: "a drop-in with PIDFile=",
			source: "systemd service.c: service_load_pid_file"
		},
		{
			code: "systemd-pidfile-differs",
			severity: "refuses",
			found: "PIDFile= is another one than that of nginx",
			why: "the same",
			fix: "make both the same",
			source: "systemd service.c: service_load_pid_file"
		},
		{
			code: "service-limits",
			severity: "warns",
			found: "the unit was changed since nginx was started",
			why: "the new master inherits the old limits; the next cold start is the first to try the new ones",
			fix: "`systemctl daemon-reload`, and plan a restart"
		}
	],
	"The way there": [
		{
			code: "forwarding-denied",
			severity: "refuses",
			found: "sshd forwards nothing",
			why: "the health URL cannot be asked as the target sees it",
			fix: "`health-from: runner`, or AllowTcpForwarding"
		},
		{
			code: "sudo-denied",
			severity: "refuses",
			found: "the login may not become root without a password",
			why: "only the user of the master may signal it",
			fix: "the sudoers line of the README"
		},
		{
			code: "shell-denied",
			severity: "refuses",
			found: "the login runs another program instead of our command: none, or a shell that reads its standard input",
			why: "nothing can be done there",
			fix: "a POSIX shell in passwd; no `exec` in a start file (~/.bashrc, ~/.zshenv, config.fish) but for interactive shells; no forced command"
		},
		{
			code: "not-retained",
			severity: "refuses",
			found: "there is no previous binary to roll back to",
			why: "`keep` was 0, or it was removed",
			fix: "upgrade to it, with `allow-downgrade`"
		}
	],
	"Worth knowing": [
		{
			code: "path-nginx-differs",
			severity: "warns",
			found: "the `nginx` in PATH is another version",
			why: "who types `nginx -t` or `nginx -s reload` uses that one",
			fix: "remove it, or link it to the running one"
		},
		{
			code: "versioned-path",
			severity: "warns",
			found: "a path holds a version number",
			why: "after the upgrade it says something else than what runs",
			fix: "a path without, such as a link `current`"
		},
		{
			code: "keepalive-resets",
			severity: "warns",
			found: "connections are open that may be idle when the old workers stop",
			why: "a request sent in that very moment is lost; most clients repeat it",
			fix: "`keepalive_min_timeout` in the running configuration (nginx 1.27.4)"
		},
		{
			code: "long-connections",
			severity: "warns",
			found: "nothing limits how long old workers drain",
			why: "downloads and WebSockets keep them, and the old master, for hours; the next upgrade waits",
			fix: "`worker_shutdown_timeout`"
		},
		{
			code: "shared-zones-reset",
			severity: "warns",
			found: "the configuration has shared memory zones",
			why: "they start empty: limits, counters, state of upstreams, key-value zones",
			fix: "nothing: plan for it"
		},
		{
			code: "tls-tickets-reset",
			severity: "warns",
			found: "TLS session tickets are made with keys of nginx’s own",
			why: "each client makes one full handshake again",
			fix: "`ssl_session_ticket_key` with a key file"
		},
		{
			code: "paths-of-others",
			severity: "warns",
			found: "a master of root has logs, its pid file, bodies or caches in a directory that others can write to",
			why: "nginx opens them by name at each start, reload and upgrade, follows links, and gives directories to its workers (ngx_create_paths): whoever can put a link there leads that. A `plan` does not test the configuration then",
			fix: "directories of root; what lies in them may be of the workers"
		}
	]
};
/** Every preflight code with its severity. `same-binary` is none: it is an outcome. */
const PREFLIGHT_CODES = new Map(Object.values(CODES).flatMap((codes) => codes.map(({ code, severity }) => [code, severity])));
/** Those that are no cause for concern on a healthy host: told, and not as a warning that is annotated. */
const NOTICES = new Set((CODES["Worth knowing"] ?? []).map(({ code }) => code));

// src/inputs/allow.ts
const INSTEAD = {
	downgrade: " Set \"allow-downgrade: true\" instead.",
	"forwarding-denied": " Set \"health-from: runner\" instead."
};
/** The codes that the user accepts; one that cannot be survived is a mistake. */
function parseAllow(text) {
	return andThen(all(splitList(text), parseCode), (codes) => good(new Set(codes)));
}
function parseCode(code) {
	const found = PREFLIGHT_CODES.get(code);
	if (found === "survivable") return good(code);
	if (found === "warns") return good(code, [`"${code}" only warns anyway`]);
	if (found === "refuses") return bad(`"${code}" cannot be allowed: an upgrade would not survive it.${INSTEAD[code] ?? ""}`);
	if (code === "same-binary") return bad("\"same-binary\" refuses nothing: the outcome is \"unchanged\"");
	return bad(`there is no preflight code ${show(code)}.${suggestion(code, PREFLIGHT_CODES.keys())}`);
}

// src/inputs/boolean.ts
const WORDS = {
	true: true,
	True: true,
	TRUE: true,
	false: false,
	False: false,
	FALSE: false
};
/** The words of YAML 1.2: a non-empty "no" must never count as true. */
function parseBoolean(text) {
	const value = Object.hasOwn(WORDS, text) ? WORDS[text] : void 0;
	return value === void 0 ? bad(`expected true or false, found ${show(text)}`) : good(value);
}

// src/inputs/switch.ts
const FROM_ZERO = duration({ min: 0 });
const ABOVE_ZERO = duration({ min: 1 });
function readSwitch(form) {
	return {
		canaryTime: form.setting("canary-time", FROM_ZERO),
		bakeTime: form.setting("bake-time", FROM_ZERO),
		readyTimeout: form.setting("ready-timeout", ABOVE_ZERO),
		drainTimeout: form.setting("drain-timeout", FROM_ZERO),
		confirmTimeout: form.setting("confirm-timeout", duration({ min: 5e3 })),
		holdTimeout: form.setting("hold-timeout", ABOVE_ZERO),
		autoCommit: form.setting("auto-commit", parseBoolean),
		autoRollback: form.setting("auto-rollback", parseBoolean),
		allowDowngrade: form.setting("allow-downgrade", parseBoolean),
		rehearse: form.setting("rehearse", parseBoolean),
		keep: form.setting("keep", wholeNumber({
			min: 0,
			max: 100
		})),
		allow: form.optional("allow", parseAllow) ?? /* @__PURE__ */ new Set()
	};
}

// src/inputs/hostname.ts
const WILDCARDS = /* @__PURE__ */ new Set([
	"0.0.0.0",
	"::",
	"0:0:0:0:0:0:0:0"
]);
/** A host name or address without brackets or port, in the form that is looked up: lower case, ASCII, no final dot. */
function parseHostname(text) {
	if (hasInvisible(text)) return bad(`contains an invisible character: ${show(text)}`);
	if (WILDCARDS.has(text)) return bad(`${show(text)} means "every address of this machine", not a host`);
	if ((0, node_net.isIPv6)(text) || (0, node_net.isIPv4)(text)) return good(text.toLowerCase());
	const ascii = toAscii(text);
	const mistake = ascii === void 0 ? grammar(text) : nameMistake(ascii, text);
	if (ascii === void 0 || mistake !== void 0) return bad(mistake ?? grammar(text));
	return good(ascii, notes(text, ascii));
}
function toAscii(text) {
	const name = text.endsWith(".") ? text.slice(0, -1) : text;
	if (/^[A-Za-z0-9_.-]+$/.test(name)) return name.toLowerCase();
	if (!/^[\p{L}\p{M}\p{N}_.-]+$/u.test(name)) return void 0;
	const ascii = (0, node_url.domainToASCII)(name);
	return /^[a-z0-9_.-]+$/.test(ascii) ? ascii : void 0;
}
function nameMistake(name, text) {
	if (name.length > 253) return `a host name has at most 253 characters, found ${name.length}`;
	const labels = name.split(".");
	if (labels.some((label) => label.length > 63)) return `a part of a host name has at most 63 characters: ${show(text)}`;
	if (labels.some((label) => label === "" || label.startsWith("-") || label.endsWith("-"))) return grammar(text);
	if (/^(?:[0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? "")) return `looks like an address but is none: ${show(text)}. Write all four numbers, in decimal`;
}
function notes(text, ascii) {
	if (/^[\x20-\x7e]*$/.test(text)) return [];
	return [`the host name ${show(text)} is looked up as ${ascii}`];
}
function grammar(text) {
	return `expected a host name or address, found ${show(text)}`;
}

// src/inputs/user.ts
const LONGEST = 256;
/** A login name: letters, digits and `. _ - + @ \`, not starting with a dash. */
function parseUser(text) {
	if (text.length <= LONGEST && /^[A-Za-z0-9_][A-Za-z0-9_.+@\\-]*\$?$/.test(text)) return good(text);
	return bad(`expected a login name such as deploy, found ${show(text)}`);
}

// src/inputs/targets.ts
const MOST = 1e4;
const FORM = "[user@]host[:port], ssh://…, [v6]:port or local";
/** The hosts in the order given; the word `local` is this machine. The same one twice is a mistake. */
function parseTargets(text, defaults) {
	const names = splitList(text);
	if (names.length === 0) return bad(`no targets: expected at least one of ${FORM}`);
	if (names.length > MOST) return bad(`at most ${MOST} targets in one run, found ${names.length}`);
	return andThen(all(names, (name) => parseTarget(name, defaults)), refuseTwice);
}
/** True where a line of `targets` asks for SSH, be it well written or not. */
function wantsSsh(text) {
	return splitList(text).some((name) => name !== "local");
}
function parseTarget(name, defaults) {
	if (name === "local") return good({
		kind: "local",
		name
	});
	const split = splitAddress(name);
	if (!split.ok) return split;
	const { user, host, port } = split.value;
	const login = user === void 0 ? good(defaults.user) : parseUser(user);
	const address = parseHostname(host);
	const listening = port === void 0 ? good(defaults.port) : parsePort(port);
	if (login.ok && address.ok && listening.ok) return good({
		kind: "ssh",
		name,
		host: address.value,
		port: listening.value,
		user: login.value
	}, address.notes);
	const problems = problemsOf([
		login,
		address,
		listening
	]);
	return bad(...problems.map((problem) => problem.includes(show(name)) ? problem : `${show(name)}: ${problem}`));
}
function splitAddress(name) {
	if (name.startsWith("-")) return bad(`a target must not start with a dash, found ${show(name)}`);
	const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(name)?.[1];
	if (scheme !== void 0 && scheme !== "ssh") return bad(`only ssh:// can be connected to, found ${show(name)}`);
	const rest = scheme === void 0 ? name : name.slice(6).replace(/\/$/, "");
	const at = rest.lastIndexOf("@");
	const user = at < 0 ? void 0 : rest.slice(0, at);
	if (user?.includes(":") === true) return bad(`no passwords in targets: use "key", found ${show(name)}`);
	if (user?.includes("@") === true) return bad(`expected ${FORM}, found more than one "@" in ${show(name)}`);
	return andThen(splitPort(rest.slice(at + 1)), (address) => good({
		...address,
		user
	}));
}
function splitPort(text) {
	const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(text);
	if (bracketed !== null) {
		const [, host = "", port] = bracketed;
		return (0, node_net.isIPv6)(host) ? good({
			host,
			port
		}) : bad(`expected an IPv6 address in the brackets, found ${show(text)}`);
	}
	const colons = text.split(":").length - 1;
	if (/%[^:]+$/.test(text) && (0, node_net.isIPv6)(text)) return good({
		host: text,
		port: void 0
	});
	if (colons > 1) return bad(`an IPv6 address needs brackets, so that a port can be told apart: ${show(`[${text}]`)}`);
	const [host = "", port] = text.split(":");
	if (host === "") return bad(`expected ${FORM}, found no host in ${show(text)}`);
	return good({
		host,
		port
	});
}
function refuseTwice(targets) {
	const seen = /* @__PURE__ */ new Map();
	const problems = [];
	for (const target of targets) {
		const identity = target.kind === "local" ? "local" : `${target.user}@${target.host}:${target.port}`;
		const first = seen.get(identity);
		if (first === void 0) seen.set(identity, target);
		else problems.push(`${show(target.name)} is the same target as ${show(first.name)}: name it once`);
	}
	return problems.length > 0 ? bad(...problems) : good(targets);
}

// src/inputs/unavailable.ts
const LIBRARIES = "leave it out: nginx is built against this machine's libraries";
const ONE_BY_ONE = "hosts are upgraded one after the other";
const UNAVAILABLE = [
	{
		input: "inventory",
		instead: "list the hosts in \"targets\""
	},
	{
		input: "proxy-jump",
		instead: "run on a machine that reaches the targets directly"
	},
	{
		input: "transport",
		only: "library",
		instead: "leave it out"
	},
	{
		input: "certificate",
		instead: "log in with a key that the targets know"
	},
	{
		input: "ssh-config",
		instead: "leave it out: no ssh_config is read"
	},
	{
		input: "nginx-version",
		not: "installed",
		instead: "name a version to build, or give that file as \"binary\""
	},
	{
		input: "openssl-version",
		instead: LIBRARIES
	},
	{
		input: "pcre2-version",
		instead: LIBRARIES
	},
	{
		input: "zlib-version",
		instead: LIBRARIES
	},
	{
		input: "max-parallel",
		only: "1",
		instead: `leave it out: ${ONE_BY_ONE}`
	},
	{
		input: "batch-wait",
		only: "0s",
		instead: `leave it out: ${ONE_BY_ONE}`
	},
	{
		input: "max-failures",
		only: "0",
		instead: `leave it out: the first failure ends the rollout`
	},
	{
		input: "commit-scope",
		only: "host",
		instead: "leave it out: each host commits when it is healthy"
	}
];
function refuseUnavailable(form) {
	for (const { input, only, not, instead } of UNAVAILABLE) {
		const given = form.given(input)?.toLowerCase();
		if (given === void 0 || given === only || not !== void 0 && given !== not) continue;
		form.problem(input, `not available yet in this version; ${instead}`);
	}
}

// src/inputs/parse.ts
/** Reads and checks every input. Rejects with InputError that holds all mistakes at once, none of them with a secret. */
async function parseInputs(raw, environment) {
	const form = openForm(raw, environment);
	const secrets = secretsOf(raw);
	return {
		config: await readConfig(form, {
			raw,
			environment
		}),
		warnings: form.close(secrets),
		secrets
	};
}
async function readConfig(form, { raw, environment }) {
	const command = form.setting("command", oneOf(COMMANDS));
	refuseUnavailable(form);
	checkLater(form);
	const binary = await readBinary(form, command);
	const targets = readTargets(form, {
		user: environment.user,
		command
	});
	const ssh = wantsSsh(form.given("targets") ?? "");
	const pidFile = form.optional("pid-file", parseTargetPath);
	const health = readHealth(form, targets);
	if (health === void 0) requireHealth(form, command);
	return {
		command,
		targets,
		ssh: await readSsh(form, {
			ssh,
			targets,
			agent: environment.sshAuthSock
		}),
		sudo: raw.get("sudo")?.trim() === "" ? [] : form.setting("sudo", parseSudo),
		commandTimeout: form.setting("command-timeout", duration({ min: 1 })),
		...binary === void 0 ? {} : { binary },
		...pidFile === void 0 ? {} : { pidFile },
		...health === void 0 ? {} : { health },
		switch: readSwitch(form)
	};
}
/** To build with the arguments of what runs, somebody has to be asked. */
function inherits(form) {
	if (form.given("binary") !== void 0 || form.given("download-url") !== void 0) return false;
	if (form.given("nginx-version") === void 0 || form.blamed("configure-args")) return false;
	return (form.given("configure-args") ?? "inherit") === "inherit";
}
function readTargets(form, { user: currentUser, command }) {
	const user = form.optional("username", parseUser) ?? currentUser;
	const port = form.setting("port", parsePort);
	const targets = form.optional("targets", (text) => parseTargets(text, {
		user,
		port
	}));
	const optional = command === "build" && !inherits(form);
	if (targets === void 0 && !optional && !form.blamed("targets") && !form.blamed("inventory")) {
		const instead = command === "build" ? "; or say the arguments in \"configure-args\", and none is needed" : "";
		form.problem("targets", `no targets: expected at least one [user@]host[:port], or the word "local"${instead}`);
	}
	return targets ?? [];
}
function requireHealth(form, command) {
	if (command !== "upgrade" || form.blamed("health-url") || form.blamed("command")) return;
	form.problem("health-url", `"upgrade" needs a URL that shows that a target is well, such as http://127.0.0.1/, or the word "none" to go without probes`);
}

// src/nginx/configure-args.ts
/**
* Reads what stands behind `configure arguments:`. nginx puts a value that holds blanks in single quotes and escapes
* nothing (auto/options), so a value goes on until a quote that an argument or the end follows. Whoever wrote the text
* by hand may have quoted as in a shell.
*/
function readPrintedArgs(text) {
	return [...text.matchAll(/--[^\s='"]+='(?:.*?)'(?=\s+--|\s*$)|(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+/gs)].map(([word]) => unquoted(word));
}
/** The way `nginx -V` prints them. */
function printArgs(args) {
	return args.map((arg) => /^[^=]+=.*\s/s.test(arg) ? arg.replace(/=(.*)$/s, "='$1'") : arg).join(" ");
}
/** `--with-cc-opt` of `--with-cc-opt=-O2`. */
function nameOf(arg) {
	return arg.split("=", 1)[0] ?? arg;
}
/** What stands behind the first `=`; undefined where there is none. */
function valueOf(arg) {
	const at = arg.indexOf("=");
	return at < 0 ? void 0 : arg.slice(at + 1);
}
/** The value of `name` (with its dashes), the last one where it is given twice, as configure does it. */
function valueIn(args, name) {
	return args.filter((arg) => arg.includes("=") && nameOf(arg) === name).map(valueOf).at(-1);
}
function unquoted(word) {
	const printed = /^(--[^\s='"]+=)'(.*)'$/s.exec(word);
	if (printed !== null && !/^[^']*'\\''/.test(printed[2] ?? "")) return `${printed[1]}${printed[2]}`;
	return word.replaceAll(/'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/gs, unquote);
}
function unquote(_all, single, double, escaped) {
	return single ?? double?.replaceAll(/\\(.)/g, "$1") ?? escaped ?? "";
}

// src/report/relay.ts
const RELAY_LIMITS = {
	line: 2e3,
	command: 64e3,
	host: 256e3
};
const BREAK = /\r\n|[\r\n]/;
const [ESC, BEL, CSI] = [
	"\x1B",
	"\x07",
	""
];
const ESCAPE_SEQUENCES = new RegExp([
	String.raw`${ESC}[\]PX^_][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\)`,
	String.raw`(?:${ESC}\[|${CSI})[0-?]*[ -\/]*[@-~]?`,
	String.raw`${ESC}[ -\/]*[0-~]?`
].join("|"), "g");
const UNSEEN = /[[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029]--\t]/gv;
const OLD_COMMAND = /#([\p{M}\p{C}]*)#([\p{M}\p{C}]*)\[/gu;
const NEW_COMMAND = /^([\s\p{M}\p{C}]*:)([\p{M}\p{C}]*:)/u;
/** `text` as single harmless lines, each at most `maxBytes` long (default 2,000); a final line break adds no line. */
function harmlessLines(text, options = {}) {
	const mask = options.mask ?? ((unmasked) => unmasked);
	const lines = mask(text).split(BREAK);
	if (lines.at(-1) === "") lines.pop();
	return lines.map((line) => clip(defuse(mask(strip(line))), options.maxBytes ?? RELAY_LIMITS.line));
}
/** `text` on one harmless line, line breaks turned into spaces; not shortened. */
function harmless(text) {
	return defuse(strip(text.split(BREAK).join(" ")));
}
/** At most `maxBytes` of UTF-8, plus a word on how much was cut; never half a character. */
function clip(text, maxBytes) {
	const size = Buffer.byteLength(text);
	if (size <= maxBytes) return text;
	const kept = new TextDecoder().decode(Buffer.from(text).subarray(0, maxBytes), { stream: true });
	return `${kept} … [${size - Buffer.byteLength(kept)} bytes left out]`;
}
function strip(line) {
	return line.replace(ESCAPE_SEQUENCES, "").replace(UNSEEN, "").toWellFormed();
}
function defuse(line) {
	return line.replace(OLD_COMMAND, "#$1 #$2[").replace(NEW_COMMAND, "$1 $2");
}

// src/report/outcome.ts
/** From worst to best (contract, section 4); the last three belong to commands of their own. */
const WORST_FIRST = [
	"failed",
	"rolled-back",
	"refused",
	"skipped",
	"held",
	"upgraded",
	"unchanged",
	"planned",
	"built",
	"reported"
];
const WANTED = {
	build: ["built"],
	plan: ["planned"],
	upgrade: ["upgraded", "unchanged"],
	commit: ["upgraded", "unchanged"],
	rollback: ["rolled-back", "unchanged"],
	status: ["reported"]
};
/** The run's outcome over all hosts, and whether every one of them reached what was asked for. */
function judge$2(hosts, asked) {
	if (hosts.length === 0) return withoutHosts(asked.command);
	return {
		outcome: worstOutcome(hosts),
		ok: hosts.every((host) => reached(host, asked))
	};
}
/** The worst outcome first; `failed` for no host at all. */
function worstOutcome(hosts) {
	return WORST_FIRST.find((outcome) => hosts.some((host) => host.outcome === outcome)) ?? "failed";
}
/** Sorts the worst to the front, and keeps the given order among equals. */
function worstFirst(hosts) {
	return [...hosts].sort((a, b) => WORST_FIRST.indexOf(a.outcome) - WORST_FIRST.indexOf(b.outcome));
}
/** Held with a reason is a failed upgrade kept for inspection, never what was asked for. */
function reached(host, asked) {
	if (asked.command === "status" && host.state === "broken") return false;
	return asked.command === "upgrade" && !asked.autoCommit && host.outcome === "held" && host.reason === null || WANTED[asked.command].includes(host.outcome);
}
/**
* The targets, as written, that failed, were refused or unreachable themselves. A host that was well and went back
* with the others, or because the run was cancelled, is none.
*/
function failedHosts(report) {
	return report.hosts.filter((host) => failedItself(host, report.command)).map((host) => host.target);
}
/** The targets, as written, that did not reach what was asked for: those of the next run. */
function remainingHosts(hosts, asked) {
	return hosts.filter((host) => !reached(host, asked)).map((host) => host.target);
}
function failedItself({ outcome, reason }, command) {
	if (outcome === "failed" || outcome === "refused") return true;
	if (outcome === "held") return reason !== null;
	return outcome === "rolled-back" && command !== "rollback" && reason !== null && reason.code !== "cancelled";
}
/** The run never got onto the target, so it changed nothing there. */
function neverEntered({ reason }) {
	return reason !== null && [
		"unreachable",
		"host-key",
		"auth"
	].includes(reason.code);
}
/** Failed fresh probe connections over all hosts; null where no host was probed. */
function failedRequests(hosts) {
	const failed = probed(hosts).map((probe) => probe.failed);
	return failed.length === 0 ? null : failed.reduce((sum, count) => sum + count, 0);
}
/** The longest of all hosts' gaps in milliseconds; null where no host was probed. */
function longestGapMs(hosts) {
	const gaps = probed(hosts).map((probe) => probe.longestGapMs);
	return gaps.length === 0 ? null : Math.max(...gaps);
}
function probed(hosts) {
	return hosts.flatMap((host) => host.probe ?? []);
}
/** Only `build` works without targets; anything else that ends without a host did not get that far. */
function withoutHosts(command) {
	return command === "build" ? {
		outcome: "built",
		ok: true
	} : {
		outcome: "failed",
		ok: false
	};
}

// src/target/answer.ts
const VERSION = 1;
/** One line of the helper's output; undefined where it is not ours: a banner, a login script's chatter, a cut line. */
function parseRecord(line, marker) {
	const start = line.indexOf(`@${marker} {`);
	if (start < 0) return void 0;
	const garbled = {
		kind: "garbled",
		line: line.slice(start, start + 300)
	};
	const parsed = parseObject(line.slice(start + marker.length + 2));
	if (parsed === void 0 || parsed["v"] !== VERSION) return garbled;
	const { id, verb, ok, event, reason, message } = parsed;
	if (typeof id !== "number") return garbled;
	if (typeof event === "string") return {
		kind: "event",
		id,
		event
	};
	if (typeof verb !== "string" || typeof ok !== "boolean") return garbled;
	const text = (value) => typeof value === "string" ? value : "";
	return {
		kind: "answer",
		answer: {
			id,
			verb,
			ok,
			reason: text(reason),
			message: text(message),
			fields: parsed
		}
	};
}
function parseObject(json) {
	try {
		const value = JSON.parse(json);
		return isObject(value) ? value : void 0;
	} catch {
		return;
	}
}
function isObject(value) {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
/** Typed reading of one record's fields; a field that is missing or of another type is named in the error. */
function fieldsOf(record, what) {
	const wrong = (name, expected) => {
		throw new TypeError(`${what}: expected ${name} to be ${expected}, found ${JSON.stringify(record[name])?.slice(0, 80)}`);
	};
	return {
		text(name) {
			const value = record[name];
			return typeof value === "string" ? value : wrong(name, "text");
		},
		textOrNull(name) {
			const value = record[name] ?? null;
			return value === null || typeof value === "string" ? value : wrong(name, "text or null");
		},
		number(name) {
			const value = record[name];
			return typeof value === "number" ? value : wrong(name, "a number");
		},
		numberOrNull(name) {
			const value = record[name] ?? null;
			return value === null || typeof value === "number" ? value : wrong(name, "a number or null");
		},
		flag(name) {
			const value = record[name];
			return typeof value === "boolean" ? value : wrong(name, "true or false");
		},
		lines(name) {
			const value = record[name] ?? [];
			return Array.isArray(value) && value.every((line) => typeof line === "string") ? value : wrong(name, "lines");
		},
		object(name) {
			const value = record[name] ?? null;
			return value === null || isObject(value) ? value : wrong(name, "an object or null");
		},
		objects(name) {
			const value = record[name] ?? [];
			return Array.isArray(value) && value.every(isObject) ? value : wrong(name, "objects");
		}
	};
}

// src/host/errors.ts
/** The run was cancelled; thrown at the next step, or in the middle of a wait. */
var Cancelled = class extends Error {
	name = "Cancelled";
};
/** The target did what it was asked, but what it reads back afterwards is not what was meant. Nothing more is undone. */
var NotAsMeant = class extends require_errors.UpgradeError {};
/** The answer, where it is a good one; else an error with the helper's own reason, its evidence kept in the result. */
function mustSucceed(answer, result) {
	keepEvidence(answer, result);
	if (answer.ok) return answer;
	if (answer.reason === "decided") throw new require_errors.DecidedElsewhere(answer.message);
	if (answer.reason === "locked") throw new require_errors.Refused([lockedFinding(answer.message)]);
	if (answer.reason === "broken") throw new require_errors.Refused([brokenFinding(answer.message)]);
	throw new require_errors.UpgradeError(reasonOf$1(answer.reason), answer.message);
}
function lockedFinding(holder) {
	return {
		code: "locked",
		message: `another run is at work on this instance: ${holder}`,
		fix: "Wait for it; `status` shows what it does, `rollback` ends it."
	};
}
/** An upgrade is under way whose books say nothing certain. Whatever may be true there stays as it is. */
function brokenFinding(message) {
	return {
		code: "state-unreadable",
		message,
		fix: "Let the version that began it end it (`rollback`), or wait until its guard has. Else see which master serves, put the right binary at its path, and remove that directory."
	};
}
/** The first evidence is that of the cause; what comes later shows the consequences and only fills what is missing. */
function keepEvidence({ fields, verb }, result) {
	if (!Array.isArray(fields["evidenceLog"])) return;
	const read = fieldsOf(fields, verb);
	const evidence = evidenceOf(result);
	if (evidence.errorLog.length === 0) evidence.errorLog = read.lines("evidenceLog");
	if (evidence.processes.length === 0) evidence.processes = read.lines("evidenceProcesses");
}
/** To be added to. */
function evidenceOf(result) {
	return result.evidence ??= {
		errorLog: [],
		probes: [],
		processes: []
	};
}
function reasonOf$1(text) {
	if (text === "rebooted") return "changed-by-others";
	return require_errors.REASONS.find((reason) => reason === text) ?? "internal";
}

// src/host/cancellation.ts
/** A step is left at once when the run is cancelled; what it began on a target, the guard there ends. */
async function orCancelled(cancel, step) {
	throwIfCancelled(cancel);
	let stop;
	const cancelled = new Promise((_, reject) => {
		stop = () => reject(new Cancelled(String(cancel.reason)));
		cancel.addEventListener("abort", stop, { once: true });
	});
	try {
		return await Promise.race([step(), cancelled]);
	} finally {
		if (stop !== void 0) cancel.removeEventListener("abort", stop);
	}
}
function throwIfCancelled(cancel) {
	if (cancel.aborted) throw new Cancelled(String(cancel.reason));
}

// src/nginx/build-info.ts
/** Reads the output of `nginx -V`, with its lines kept or joined by blanks. */
function parseBuildInfo(text) {
	const head = /(?:^|\s)([A-Za-z]+) version: ([A-Za-z]+)\/([^\s()]+)/.exec(text);
	const tail = /configure arguments:(.*)$/s.exec(text)?.[1] ?? "";
	const named = head?.[1] === "nginx" ? head[2] : head?.[1];
	const tls = tlsOf(text);
	return {
		flavour: named ?? "",
		version: head?.[3] ?? "",
		arguments: readPrintedArgs(tail),
		...tls === void 0 ? {} : { tls }
	};
}
/** `built with OpenSSL 3.0.2 15 Mar 2022 (running with OpenSSL 3.0.8 7 Feb 2023)` (ngx_show_version_info). */
function tlsOf(text) {
	const built = /built with ([A-Za-z-]+ [^\s()]+)/.exec(text)?.[1];
	if (built === void 0) return void 0;
	return {
		built,
		running: /\(running with ([A-Za-z-]+ [^\s()]+)/.exec(text)?.[1] ?? built
	};
}

// src/host/host-run.ts
function emptyResult(target) {
	const ssh = target.kind === "ssh" ? target : {
		host: "localhost",
		port: null,
		user: null
	};
	return {
		target: target.name,
		host: ssh.host,
		port: ssh.port,
		user: ssh.user,
		outcome: "failed",
		state: null,
		previousVersion: null,
		version: null,
		previousSha256: null,
		sha256: null,
		oldMaster: null,
		newMaster: null,
		phases: [],
		probe: null,
		drained: null,
		warnings: [],
		refusals: [],
		reason: null,
		evidence: null,
		guard: null,
		notes: []
	};
}
/** Times `body` as one of the contract's phases, also where it fails, and says so. */
async function phase(run, name, body) {
	const entry = {
		name,
		at: (/* @__PURE__ */ new Date()).toISOString(),
		ms: 0
	};
	const start = performance.now();
	run.result.phases.push(entry);
	try {
		return await body();
	} finally {
		entry.ms = Math.round(performance.now() - start);
		run.log.info(`${name}: ${entry.ms} ms`);
	}
}

// src/nginx/modules.ts
const THIRD_PARTY = /^--add(-dynamic)?-module$/;
const SWITCHED_ON = /^--with-(?:[a-z0-9_]+_module|stream|mail|threads|file-aio|compat|debug|pcre-jit)$/;
/** Everything that the arguments switch on. */
function featuresIn(args) {
	return args.flatMap((arg) => {
		const name = nameOf(arg);
		const third = THIRD_PARTY.exec(name);
		if (third !== null) return [{
			name: `module ${node_path.posix.basename(valueOf(arg) ?? "")}`,
			dynamic: third[1] !== void 0
		}];
		return SWITCHED_ON.test(name) ? [{
			name,
			dynamic: valueOf(arg) === "dynamic"
		}] : [];
	});
}
/** What is in by default and was left out: `--without-http_gzip_module`. */
function leftOut(args) {
	return args.map(nameOf).filter((name) => /^--without-[a-z0-9_]+_module$/.test(name));
}
/** What is characteristic of a third-party module's name: `echo` of ngx_http_echo_module, http-echo or echo-nginx-module-0.63. */
function moduleCore(name) {
	return node_path.posix.basename(name).toLowerCase().replace(/\.so$/, "").replace(/[-_]v?\d[\d.]*$/, "").split(/[-_]/).filter((word) => !/^(ngx|nginx|libnginx|mod|module|http|stream|filter|dynamic|)$/.test(word)).join("-");
}

// src/nginx/server.ts
/** The arguments of every directive of that name in exactly that context, in the order of the configuration. */
function argsOf({ directives }, context, name) {
	return directives.filter((each) => each.context === context && each.name === name).map(({ args }) => args);
}

// src/nginx/shared-paths.ts
const directive = (name, context = "main") => ({
	by: `\`${name}\``,
	value: (server) => firstWord(argsOf(server, context, name)[0])
});
const option = (letter, value) => ({
	by: `the option -${letter}`,
	value: (server) => value(server) || void 0
});
/** Defaults and precedence: auto/options, ngx_process_options, ngx_conf_full_name. */
const SHARED_PATHS = [
	{
		flag: "--prefix",
		code: "prefix-differs",
		standard: "/usr/local/nginx",
		beaten: option("p", ({ optP }) => optP),
		why: "every relative path in the configuration would lead elsewhere"
	},
	{
		flag: "--conf-path",
		code: "conf-path-differs",
		standard: "conf/nginx.conf",
		beaten: option("c", ({ optC }) => optC),
		why: "the new master would read another configuration"
	},
	{
		flag: "--pid-path",
		code: "pid-path-differs",
		standard: "logs/nginx.pid",
		beaten: directive("pid"),
		why: "systemd and scripts would lose the new master"
	},
	{
		flag: "--lock-path",
		code: "lock-path-differs",
		standard: "logs/nginx.lock",
		beaten: directive("lock_file"),
		why: "it is used only where a processor has no atomic operations, so that nothing is lost on Linux"
	},
	{
		flag: "--error-log-path",
		code: "error-log-path-differs",
		standard: "logs/error.log",
		beaten: {
			by: "`error_log`",
			value: (server) => directive("error_log").value(server) ?? (server.optE || void 0)
		},
		why: "errors would be written where nobody looks, or nowhere"
	},
	{
		flag: "--http-log-path",
		code: "http-log-path-differs",
		standard: "logs/access.log",
		beaten: directive("access_log", "http"),
		why: "requests would be logged elsewhere, and nginx does not start where that directory is missing"
	},
	...[
		"client-body",
		"proxy",
		"fastcgi",
		"uwsgi",
		"scgi"
	].map(temporaryPath)
];
function temporaryPath(kind) {
	const name = kind.replace("-", "_");
	return {
		flag: `--http-${kind}-temp-path`,
		code: "temp-path-differs",
		standard: `${name}_temp`,
		beaten: directive(`${name}_temp_path`, "http"),
		why: "nginx creates it with a new owner, or does not start where its parent is missing"
	};
}
/** What `build` would use in the place of this master: absolute, or a word such as `stderr`. */
function effectivePath(path, build, server) {
	const given = path.beaten.value(server) ?? valueIn(build.arguments, path.flag);
	if (path.flag === "--prefix") return prefixOf(given, server);
	const chosen = given === void 0 || given === "" ? path.standard : given;
	if (/^(stderr$|syslog:|memory:|off$)/.test(chosen)) return chosen;
	return under(prefixOf(valueOfPrefix(build, server), server), chosen);
}
function valueOfPrefix(build, { optP }) {
	return optP || valueIn(build.arguments, "--prefix");
}
/** An empty `--prefix=` is the directory where nginx was started. */
function prefixOf(given, { cwd }) {
	return given === "" ? cwd : under(cwd, given ?? "/usr/local/nginx");
}
/** /var/run is a link to /run wherever systemd runs, and slashes at the end say nothing. */
function samePath$1(a, b) {
	const plain = (path) => node_path.posix.normalize(path).replace(/\/+$/, "").replace(/^\/var\/run\//, "/run/");
	return plain(a) === plain(b);
}
function under(base, path) {
	return node_path.posix.normalize(path.startsWith("/") ? path : `${base}/${path}`);
}
function firstWord(args) {
	return args?.split(" ", 1)[0];
}

// src/host/preflight/build-checks.ts
/** Of what the new binary says of itself (`-V`), on the runner or on the target, against what the running one says. */
const BUILD_CHECKS = [
	{
		code: "flavour-differs",
		check: flavourDiffers
	},
	...[...new Set(SHARED_PATHS.map(({ code }) => code))].map((code) => ({
		code,
		check: (candidate, { master }) => pathsDiffer(candidate, {
			code,
			master
		})
	})),
	{
		code: "user-differs",
		check: userDiffers
	},
	{
		code: "modules-path-differs",
		check: modulesPathDiffers
	},
	{
		code: "module-lost",
		check: moduleLost
	},
	{
		code: "module-signature",
		check: moduleSignature
	},
	{
		code: "tls-library-differs",
		check: tlsLibraryDiffers
	},
	{
		code: "hardening-lost",
		check: hardeningLost
	},
	{
		code: "downgrade",
		check: ({ build }, { master, allowDowngrade }) => {
			const running = parseBuildInfo(master.build).version;
			if (allowDowngrade || compareVersions(build.version, running) >= 0) return void 0;
			return {
				message: `${build.version} is older than the running ${running}`,
				fix: "Set `allow-downgrade: true` if that is meant."
			};
		}
	}
];
function flavourDiffers({ build }, { master }) {
	const running = parseBuildInfo(master.build).flavour;
	if (build.flavour === running) return void 0;
	return {
		message: `the running server is ${running || "unknown"}, the new binary ${build.flavour || "says nothing of itself"}: they do not hand over sockets to each other`,
		fix: "Give a binary of the same flavour; changing the flavour needs a restart."
	};
}
/** All paths that go by one code: what beats the argument beats it for both, and then nothing differs. */
function pathsDiffer({ build }, { code, master }) {
	const running = parseBuildInfo(master.build);
	const differing = SHARED_PATHS.filter((path) => path.code === code).flatMap((path) => {
		const [old, next] = [effectivePath(path, running, master), effectivePath(path, build, master)];
		return samePath$1(old, next) ? [] : [{
			...path,
			old,
			next
		}];
	});
	const [first] = differing;
	if (first === void 0) return void 0;
	const changes = differing.map(({ flag, old, next }) => `${flag}: ${next} instead of ${old}`);
	const wanted = differing.map(({ flag, old }) => `${flag}=${old}`);
	return {
		message: `the new binary would use other paths than the running one (${changes.join(", ")}): ${first.why}`,
		fix: `Build it with ${wanted.join(" ")}, or set ${first.beaten.by} for both.`
	};
}
/** Only root can become somebody else, and `user` beats both builds. */
function userDiffers({ build }, { master }) {
	if (master.uid !== 0 || argsOf(master, "main", "user").length > 0) return void 0;
	const userOf = (args) => valueIn(args, "--user") ?? "nobody";
	const [old, next] = [userOf(parseBuildInfo(master.build).arguments), userOf(build.arguments)];
	if (old === next) return void 0;
	return {
		message: `workers would run as ${next} instead of ${old}: temporary and cache directories change hands, which a rollback does not undo`,
		fix: `Build it with --user=${old}, or set \`user ${old};\` in the configuration and reload.`
	};
}
function modulesPathDiffers({ build }, { master }) {
	const pathOf = (args) => valueIn(args, "--modules-path") ?? "modules";
	const [old, next] = [pathOf(parseBuildInfo(master.build).arguments), pathOf(build.arguments)];
	if (samePath$1(old, next)) return void 0;
	return {
		message: `the new binary was built for modules in ${next}, the running one for ${old}; \`load_module\` goes by the prefix, so only installations differ`,
		fix: `Build it with --modules-path=${old} to have one place.`
	};
}
function moduleLost({ build }, { master }) {
	const lost = lostFeatures(parseBuildInfo(master.build).arguments, build.arguments);
	if (lost.length === 0) return void 0;
	return {
		message: `the new binary is without what the running one has: ${lost.join(", ")}; a configuration that uses it will be refused`,
		fix: "Build it with the same arguments if any of that is used.",
		mild: true
	};
}
/** A loaded module belongs to one nginx version (ngx_add_module); one of the same version only loading it can judge. */
function moduleSignature({ build, modules }, { master }) {
	const running = parseBuildInfo(master.build).version;
	if (build.version === running || modules === void 0) return void 0;
	const left = master.modules.filter((path) => !modules.some(({ name }) => name === (0, node_path.basename)(path)));
	if (left.length === 0) return void 0;
	const names = left.map((path) => (0, node_path.basename)(path).replace(/^ngx_(?:http_)?|(?:_filter)?_module\.so$/g, ""));
	return {
		message: `the configuration loads ${left.join(", ")}, built for ${running}: ${build.version} refuses modules of another version`,
		fix: `Build both together: \`configure-args: inherit\`, and for each third-party module its sources in \`add-modules\` (such as \`${names[0]}=path\`).`
	};
}
/** Everything that `next` lacks. */
function lostFeatures(running, next) {
	const there = featuresIn(next);
	const lost = featuresIn(running).filter(({ name, dynamic }) => {
		const again = there.find((other) => other.name === name || sameThirdParty(other.name, name));
		return again === void 0 || again.dynamic && !dynamic;
	});
	const off = leftOut(next).filter((name) => !leftOut(running).includes(name));
	return [...lost.map(({ name }) => name), ...off];
}
function sameThirdParty(a, b) {
	if (!a.startsWith("module ") || !b.startsWith("module ")) return false;
	return moduleCore(a.slice(7)) === moduleCore(b.slice(7));
}
function tlsLibraryDiffers({ build }, { master }) {
	const running = parseBuildInfo(master.build).tls?.running;
	const next = build.tls?.running;
	if (running === void 0 || next === void 0 || tlsLine(running) === tlsLine(next)) return void 0;
	return {
		message: `TLS comes from ${next} instead of ${running}: protocols, ciphers, providers and engines may differ`,
		fix: "Build it against the library of the target, or try its TLS settings on a test host first."
	};
}
/** The library and its feature release: `OpenSSL 3.0` of `OpenSSL 3.0.20`. */
function tlsLine(library) {
	return library.split(".").slice(0, 2).join(".");
}
const HARDENING = [
	/-fstack-protector(?:-strong|-all)?\b/,
	/-D_FORTIFY_SOURCE=[1-9]/,
	/(?:^|\s)-(?:fPIE|pie)\b/,
	/-Wl,-z,relro/,
	/-Wl,-z,now/,
	/-fcf-protection/,
	/-fstack-clash-protection/
];
function hardeningLost({ build }, { master }) {
	const [before, after] = [compilerWords(parseBuildInfo(master.build)), compilerWords(build)];
	const lost = HARDENING.filter((pattern) => pattern.test(before) && !pattern.test(after));
	if (lost.length === 0) return void 0;
	return {
		message: `the new binary was built without hardening that the running one has: ${lost.map((pattern) => pattern.exec(before)?.[0].trim()).join(", ")}`,
		fix: "Build it with the same --with-cc-opt and --with-ld-opt."
	};
}
function compilerWords({ arguments: args }) {
	return `${valueIn(args, "--with-cc-opt") ?? ""} ${valueIn(args, "--with-ld-opt") ?? ""}`;
}

// src/host/preflight/candidate-checks.ts
/** Of the file alone: known before anything is sent. */
const FILE_CHECKS = [
	{
		code: "architecture",
		check: ({ machine }, { facts }) => machine === void 0 || runsOn(machine, facts.machine) ? void 0 : {
			message: `the new binary is for ${machine}, the host is ${facts.machine}: exec would fail`,
			fix: `Build or download nginx for ${facts.machine}.`
		}
	},
	{
		code: "module-directory",
		check: moduleDirectory
	},
	{
		code: "libc",
		check: otherLibc
	},
	{
		code: "missing-library",
		check: missingLibrary
	},
	{
		code: "disk-space",
		check: ({ size }, { master }) => master.diskFreeKb * 1024 >= size * 3 ? void 0 : {
			message: `${master.diskFreeKb} KiB are free beside ${master.path}; the new binary and the kept old one need ${Math.ceil(size * 3 / 1024)} KiB`,
			fix: "Free some space on that file system."
		}
	}
];
/** All files of one switch are put in place with the rights of one user. */
function moduleDirectory({ modules }, { master }) {
	const { modulesPlace, binaryPlace } = master;
	const replaced = master.modules.filter((path) => modules === void 0 || modules.some(({ name }) => name === (0, node_path.basename)(path)));
	if (replaced.length === 0 || modulesPlace === binaryPlace) return void 0;
	const who = (place) => place === "" ? "root alone" : place === "several" ? "several users" : `user ${place}`;
	return {
		message: `${who(modulesPlace)} can write to the directory of the modules (${replaced.join(", ")}), ${who(binaryPlace)} to that of the binary`,
		fix: "Let root alone own and write both, and all directories that lead to them."
	};
}
/** Where several names mean one family, the target's own try at running the file decides. */
function runsOn(file, host) {
	return file === host || file === "i686" && host === "x86_64" || host.startsWith(file);
}
const ELSEWHERE = "Build it on the distribution and release of the host (in GitHub Actions with `container: debian:12`, say); Debian, Ubuntu, RHEL and Alpine differ in this.";
/** glibc is compatible upwards only, and no other C library loads what was linked for it. */
function otherLibc({ needs, interpreter }, { master }) {
	const host = /^glibc (\d+\.\d+)/.exec(master.libc)?.[1];
	if (/musl/.test(interpreter ?? "") && host !== void 0) return {
		message: `the new binary was linked for musl, the host has glibc ${host}`,
		fix: ELSEWHERE
	};
	if (needs?.glibc === void 0) return void 0;
	if (host === void 0) return {
		message: "the new binary was linked for glibc, the host has another C library",
		fix: `${ELSEWHERE} For Alpine: \`container: alpine\`.`
	};
	if (compareVersions(needs.glibc, host) <= 0) return void 0;
	return {
		message: `the new binary needs glibc ${needs.glibc}, the host has ${host}`,
		fix: ELSEWHERE
	};
}
/** Of what the loader does not know; where a run path leads elsewhere, the target's own try decides. */
function missingLibrary({ needs }, { master }) {
	if (needs === void 0 || needs.rpath || master.libraries.size === 0) return void 0;
	const missing = needs.libraries.filter((name) => !master.libraries.has(name) && !/^(?:ld-|libc\.)/.test(name));
	if (missing.length === 0) return void 0;
	return {
		message: `the new binary needs ${missing.join(", ")}, which the loader of the host does not know`,
		fix: "Install the packages that hold them on the host, or build on the release that it runs."
	};
}

// src/nginx/listen.ts
/** Options after which nginx binds a socket of its own (ngx_http_core_listen: `lsopt.bind = 1`). */
const OWN = /^(?:bind|setfib|fastopen|backlog|rcvbuf|sndbuf|accept_filter|deferred|ipv6only|reuseport|so_keepalive)(?:=|$)/;
/** Every `listen` of the servers for HTTP, streams and mail. `root`: the master's user, on whom the default port depends. */
function listensIn(directives, { root }) {
	const found = {
		tcp: [],
		quic: false,
		unsure: false
	};
	for (const { context, name, args } of directives) {
		if (name !== "listen" || !/^(?:http|stream|mail)\.server$/.test(context)) continue;
		const [where = "", ...options] = args.split(" ");
		if (options.includes("quic")) found.quic = true;
		if (options.includes("quic") || options.includes("udp")) continue;
		const addresses = addressesOf$1(where, { port: context === "http.server" ? root ? 80 : 8e3 : void 0 });
		if (addresses === void 0) found.unsure = true;
		const own = options.some((option) => OWN.test(option));
		const reuseport = options.includes("reuseport");
		found.tcp.push(...(addresses ?? []).map((address) => ({
			address,
			own,
			reuseport
		})));
	}
	return found;
}
/** ngx_parse_url and ngx_parse_addr_port; undefined where only nginx could tell. */
function addressesOf$1(where, { port }) {
	if (where === "(default)") return [`0.0.0.0:${port}`];
	if (where.includes("$") || where === "(unknown)") return void 0;
	if (where.startsWith("unix:")) return [where];
	if (/^\d+(?:-\d+)?$/.test(where)) return portsIn(where).map((each) => `0.0.0.0:${each}`);
	const [, host = "", ports = String(port ?? "")] = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d+(?:-\d+)?))?$/.exec(where) ?? [];
	const name = canonical(host);
	return name === void 0 || ports === "" ? void 0 : portsIn(ports).map((each) => `${name}:${each}`);
}
function portsIn(text) {
	const [from = 0, to = from] = text.split("-").map(Number);
	return to - from > 65535 ? [] : Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
function canonical(host) {
	if (host === "*") return "0.0.0.0";
	if ((0, node_net.isIPv4)(host)) return host;
	return (0, node_net.isIPv6)(host.slice(1, -1)) && host.startsWith("[") ? new URL(`http://${host}/`).hostname : void 0;
}
/**
* The sockets that a configuration needs, and those that it may have: behind a wildcard nginx binds no further address of
* the same port, unless that asks for a socket of its own (ngx_http_init_listening).
*/
function socketsFor(listens) {
	const wildcards = new Set(listens.map(({ address }) => address).filter((address) => isWildcard(address)));
	const needed = listens.filter(({ address, own }) => own || !wildcards.has(wildcardOf(address)) || isWildcard(address));
	return {
		needed: new Set(needed.map(({ address }) => address)),
		possible: new Set(listens.map(({ address }) => address))
	};
}
function isWildcard(address) {
	return /^(?:0\.0\.0\.0|\[::\]):/.test(address);
}
/** Where `127.0.0.1:80` would be accepted, too. */
function wildcardOf(address) {
	const port = address.slice(address.lastIndexOf(":") + 1);
	return address.startsWith("[") ? `[::]:${port}` : (0, node_net.isIP)(address.split(":")[0] ?? "") === 4 ? `0.0.0.0:${port}` : "";
}
/** A line of what the kernel says of a listening socket, `INODE tcp 0100007F:0050`, in the words of `listen`. */
function listenerAddress(line, { littleEndian }) {
	const [, kind = "", address = ""] = /^\S+ (\S+) (.*)$/.exec(line) ?? [];
	if (kind === "unix") return `unix:${address}`;
	const [hex = "", port = ""] = address.split(":");
	const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => {
		const pairs = word.match(/../g) ?? [];
		return (littleEndian ? pairs.toReversed() : pairs).map((pair) => Number.parseInt(pair, 16));
	});
	const number = Number.parseInt(port, 16);
	return bytes.length === 4 ? `${bytes.join(".")}:${number}` : `${ipv6(bytes)}:${number}`;
}
function ipv6(bytes) {
	const groups = Array.from({ length: 8 }, (_, index) => ((bytes[2 * index] ?? 0) << 8 | (bytes[2 * index + 1] ?? 0)).toString(16));
	return new URL(`http://[${groups.join(":")}]/`).hostname;
}

// src/host/workers.ts
/** ngx_set_worker_processes: a number, or `auto` for one a processor; one without the directive. */
function wantedWorkers(master, { cpus }) {
	if (master.workerProcesses === "auto") return cpus;
	return Number.parseInt(master.workerProcesses, 10) || 1;
}

// src/host/preflight/config-checks.ts
/** Of the configuration on disk, which the new master reads, against what the running one was given. */
const CONFIG_CHECKS = [
	{
		code: "config-drift",
		check: configDrift
	},
	{
		code: "unix-listen-removed",
		check: unixListenRemoved
	},
	{
		code: "listen-changed",
		check: listenChanged
	},
	{
		code: "reuseport-fewer-workers",
		check: reuseportFewerWorkers
	},
	{
		code: "quic",
		check: (master) => listensOf(master).quic ? {
			message: "the configuration listens for QUIC: its connections do not survive, and new ones may fail while old workers leave",
			fix: "There is no way around it in nginx yet; a short `worker_shutdown_timeout` keeps that time short."
		} : void 0
	},
	{
		code: "passphrase-key",
		check: passphraseKey
	}
];
const RELOAD = "Reload nginx first (`nginx -s reload`) and see that it is well, then upgrade.";
/** USER_HZ, in which /proc/PID/stat counts: 100 on every architecture that nginx is built for. */
const TICKS = 100;
/**
* Workers since the last reload are as old as the configuration that they have. One that was replaced is younger: the
* oldest counts. `epoch` was cut to whole seconds, and so were the times of the files: a second is left to that.
*/
function configDrift(master, facts) {
	const { newestConfig, clock } = master;
	const starts = master.children.filter(({ accepting, sameFile }) => accepting && sameFile).map(({ process }) => Number(process.startTime) / TICKS);
	if (newestConfig === null || starts.length === 0 || listensDiffer(master, facts)) return void 0;
	const loaded = clock.epoch - clock.uptime + Math.min(...starts);
	if (newestConfig.at < loaded + 1) return void 0;
	const at = (seconds) => (/* @__PURE__ */ new Date(seconds * 1e3)).toISOString().replace(/\.\d+/, "");
	return {
		message: `${newestConfig.file} was written at ${at(newestConfig.at)}, the workers run since ${at(loaded)}: the upgrade would deploy that change as well, and its errors would be blamed on the new version`,
		fix: RELOAD
	};
}
/** The new master deletes what it inherited and no longer listens on (ngx_close_listening_sockets). */
function unixListenRemoved(master) {
	const removed = removedFrom(master).filter((address) => address.startsWith("unix:"));
	if (removed.length === 0) return void 0;
	return {
		message: `nginx listens on ${removed.join(", ")}, which the configuration on disk no longer has: the new master would delete it, and going back would leave the old one unreachable there`,
		fix: RELOAD
	};
}
function listenChanged(master, facts) {
	const removed = removedFrom(master).filter((address) => !address.startsWith("unix:"));
	const added = addedTo(master);
	if (removed.length > 0 || added.length > 0) return {
		message: `the configuration on disk does not listen where nginx does (${[...added.map((address) => `+ ${address}`), ...removed.map((address) => `- ${address}`)].join(", ")}): the new master would bind by itself, which fails where the old one still holds the port`,
		fix: RELOAD
	};
	const workers = wantedWorkers(master, facts);
	const more = reuseported(master).find(({ sockets }) => sockets < workers);
	if (more === void 0) return void 0;
	return {
		message: `${more.address} has ${more.sockets} sockets, and ${workers} with the configuration on disk: what is queued on the new ones is lost if the upgrade is taken back`,
		fix: RELOAD,
		mild: true
	};
}
/** One socket is one worker's (ngx_clone_listening); from WINCH on nobody accepts on those of a worker that there is not. */
function reuseportFewerWorkers(master, facts) {
	const workers = wantedWorkers(master, facts);
	const { unsure } = listensOf(master);
	const several = socketsByAddress(master).filter(({ sockets }) => sockets > 1);
	const asked = new Set(reuseported(master).map(({ address }) => address));
	const orphaned = several.find(({ address, sockets }) => sockets > (asked.has(address) ? workers : 1));
	if (orphaned === void 0 || unsure) return void 0;
	const wanted = asked.has(orphaned.address) ? `${workers} workers` : "no `reuseport`";
	return {
		message: `${orphaned.address} has ${orphaned.sockets} sockets (\`reuseport\`), the configuration on disk has ${wanted}: requests on the sockets that are too many would hang until the old master ends`,
		fix: RELOAD
	};
}
function passphraseKey({ encryptedKeys, directives }) {
	if (encryptedKeys.length === 0 || directives.some(({ name }) => name === "ssl_password_file")) return void 0;
	return {
		message: `${encryptedKeys.join(", ")} ${encryptedKeys.length === 1 ? "wants" : "want"} a passphrase, and the new master has no terminal to ask at`,
		fix: "Put it into a file for `ssl_password_file`, or use a key without one."
	};
}
function listensDiffer(master, facts) {
	const found = listenChanged(master, facts);
	return unixListenRemoved(master) !== void 0 || found !== void 0 && found.mild !== true;
}
function listensOf(master) {
	return listensIn(master.directives, { root: master.uid === 0 });
}
/** As many lines as the helper sends at most: behind that, nobody knows. */
const MOST_DIRECTIVES = 3e3;
/** Addresses that the configuration on disk has and nginx does not. */
function addedTo(master) {
	const running = new Set(socketsByAddress(master).map(({ address }) => address));
	return [...socketsFor(listensOf(master).tcp).needed].filter((address) => !running.has(address));
}
/** Addresses that nginx has and the configuration on disk does not. */
function removedFrom(master) {
	const { tcp, unsure } = listensOf(master);
	if (unsure || master.directives.length >= MOST_DIRECTIVES) return [];
	const { possible } = socketsFor(tcp);
	return socketsByAddress(master).map(({ address }) => address).filter((address) => !possible.has(address));
}
/** What the configuration wants one socket a worker for, with those that there are. */
function reuseported(master) {
	const asked = new Set(listensOf(master).tcp.flatMap(({ address, reuseport }) => reuseport ? [address] : []));
	return socketsByAddress(master).filter(({ address }) => asked.has(address));
}
function socketsByAddress(master) {
	const littleEndian = !/^(?:s390|ppc64$|ppc$|mips$|mips64$)/.test(master.machine);
	const counts = /* @__PURE__ */ new Map();
	for (const line of master.listeners) {
		const address = listenerAddress(line, { littleEndian });
		counts.set(address, (counts.get(address) ?? 0) + 1);
	}
	return [...counts].map(([address, sockets]) => ({
		address,
		sockets
	}));
}

// src/host/preflight/notice-checks.ts
/** What is worth knowing before an upgrade, with numbers. None of it refuses. */
const NOTICE_CHECKS = [
	{
		code: "path-nginx-differs",
		check: pathNginxDiffers
	},
	{
		code: "versioned-path",
		check: versionedPath
	},
	{
		code: "keepalive-resets",
		check: keepaliveResets
	},
	{
		code: "long-connections",
		check: longConnections
	},
	{
		code: "shared-zones-reset",
		check: sharedZonesReset
	},
	{
		code: "tls-tickets-reset",
		check: tlsTicketsReset
	},
	{
		code: "paths-of-others",
		check: pathsOfOthers
	}
];
function versionOf({ build }) {
	return parseBuildInfo(build).version;
}
function pathNginxDiffers(master) {
	const { pathNginx, exe } = master;
	if (pathNginx === null || pathNginx.version === "" || pathNginx.version === versionOf(master)) return void 0;
	return {
		message: `\`nginx\` in PATH is ${pathNginx.path}, ${pathNginx.version}; ${exe}, ${versionOf(master)}, is what runs: \`nginx -t\` and \`nginx -s\` go by the other one`,
		fix: `Remove ${pathNginx.path}, or make it a link to the running one.`
	};
}
function versionedPath(master) {
	const version = versionOf(master);
	const { path, prefix, conf, pidFile } = master;
	const named = [
		path,
		prefix,
		conf,
		pidFile
	].filter((each) => version !== "" && each.includes(version));
	if (named.length === 0) return void 0;
	return {
		message: `${[...new Set(named)].join(", ")} ${named.length === 1 ? "holds" : "hold"} the version ${version}, and will after the upgrade`,
		fix: "Use paths without a version, or a link such as `current`."
	};
}
function openConnections({ children }) {
	return children.filter(({ accepting, connections }) => accepting && connections > 0).map(({ process, connections }) => ({
		pid: process.pid,
		connections
	}));
}
/** Idle ones are closed at WINCH (ngx_close_idle_connections), unless `keepalive_min_timeout` gives them a moment. */
function keepaliveResets(master) {
	const total = openConnections(master).reduce((sum, { connections }) => sum + connections, 0);
	if (total === 0 || isSet(master, "keepalive_min_timeout")) return void 0;
	const known = compareVersions(versionOf(master), "1.27.4") >= 0;
	return {
		message: `${total} connections are open; of those that are idle when the old workers stop, a request that is just being sent is lost`,
		fix: known ? "Set `keepalive_min_timeout 1s` and reload before the upgrade." : "From 1.27.4 on, `keepalive_min_timeout` in the running configuration avoids it."
	};
}
function longConnections(master) {
	const open = openConnections(master);
	if (open.length === 0 || argsOf(master, "main", "worker_shutdown_timeout").length > 0) return void 0;
	return {
		message: `${open.map(({ pid, connections }) => `${connections} at worker ${pid}`).join(", ")}: nothing limits how long the old workers wait for them, and until then the old master stays and no next upgrade can begin`,
		fix: "Set `worker_shutdown_timeout` where that is too long, and reload before the upgrade."
	};
}
function pathsOfOthers({ ledPaths }) {
	if (ledPaths.length === 0) return void 0;
	return {
		message: `nginx of root opens or makes files by their names where others can put a link: ${ledPaths.map(({ directory, user }) => `${directory} (${user === null ? "several users" : `user ${user}`})`).join(", ")}`,
		fix: "Give these directories to root; what lies in them may be of the workers."
	};
}
const ZONES = /^(?:limit_req_zone|limit_conn_zone|zone|keyval_zone|lua_shared_dict|js_shared_dict_zone)$/;
function sharedZonesReset({ directives }) {
	const names = directives.filter(({ name, context }) => ZONES.test(name) && (name !== "zone" || context.endsWith(".upstream"))).map(({ name, args }) => /zone=([^\s:]+)/.exec(args)?.[1] ?? args.split(" ", 1)[0] ?? name);
	const zones = [...new Set(names)];
	if (zones.length === 0) return void 0;
	const shown = zones.slice(0, 10).join(", ") + (zones.length > 10 ? ` and ${zones.length - 10} more` : "");
	return {
		message: `${zones.length} shared memory zones start empty in the new generation (${shown}); while both serve, limits count twice`,
		fix: "Nothing can be done about it; choose a quiet moment."
	};
}
function tlsTicketsReset(master) {
	const tls = master.directives.some(({ name, args }) => name === "listen" && /(?:^| )ssl(?: |$)/.test(args));
	const off = argsOf(master, "http", "ssl_session_tickets").includes("off");
	if (!tls || off || isSet(master, "ssl_session_ticket_key")) return void 0;
	return {
		message: "TLS session tickets are made with keys of nginx’s own, which the new generation does not know: each client makes one full handshake",
		fix: "Set `ssl_session_ticket_key` with a key file."
	};
}
function isSet({ directives }, directive) {
	return directives.some(({ name }) => name === directive);
}

// src/host/preflight/exec-checks.ts
const ELF = "7f454c46";
/** Of the file that runs, and of what is around it. */
const EXEC_CHECKS = [
	{
		code: "unsafe-path",
		check: unsafePath
	},
	{
		code: "command-line-unreadable",
		check: unreadableCommandLine
	},
	{
		code: "relative-argv0",
		check: relativeArgv0
	},
	{
		code: "argv0-not-running-file",
		check: notTheRunningFile
	},
	{
		code: "path-not-of-unit",
		check: notOfUnit
	},
	{
		code: "binary-directory",
		check: binaryDirectory
	},
	{
		code: "shared-binary",
		check: ({ sharedWith, path }) => sharedWith === "" ? void 0 : {
			message: `another master (${sharedWith}) runs the same file, ${path}: it would take the new one at its next restart or upgrade`,
			fix: "Give each instance a binary of its own. Where both shall have the new one, upgrade the other next."
		}
	},
	{
		code: "wrapper-script",
		check: ({ magic, path }) => magic !== "" && magic !== ELF ? {
			message: `${path}, the command that started nginx, is no program but a script or text: replacing it would not replace nginx`,
			fix: "Start nginx by the absolute path of its binary."
		} : void 0
	},
	{
		code: "immutable",
		check: ({ pathWritable, path }) => pathWritable ? void 0 : {
			message: `the directory of ${path} cannot be written: read-only, immutable, or not this user's`,
			fix: "Remount it writable, `chattr -i` it, or let `sudo` become root."
		}
	},
	{
		code: "other-root",
		check: otherRoot
	},
	{
		code: "noexec",
		check: noexec
	},
	{
		code: "process-limit",
		check: processLimit
	},
	{
		code: "memory",
		check: memory
	},
	{
		code: "mandatory-access-control",
		check: accessControl
	},
	{
		code: "environment-lost",
		check: environmentLost
	},
	{
		code: "capabilities",
		check: capabilities
	},
	{
		code: "package-owned",
		check: ({ package: name, path }) => name === "" ? void 0 : {
			message: `${path} belongs to the package ${name}: its next update puts another file there, and may restart nginx`,
			fix: `Put it on hold (apt-mark hold ${name}, dnf versionlock add ${name}), or ship the new binary as a package.`
		}
	}
];
function unsafePath({ unsafe }) {
	if (unsafe.length === 0) return void 0;
	return {
		message: `a path of this nginx holds control characters or "|" (${[...new Set(unsafe)].join(", ")}): on the target such a name could pass for something else`,
		fix: "Rename it, or the directory that a local user renamed, and reload nginx."
	};
}
function unreadableCommandLine({ titleCut }) {
	if (!titleCut) return void 0;
	return {
		message: "the title of the master, which holds its options, has more than 4096 bytes: what it was started with cannot be told for sure",
		fix: "Move what `-g` says into the configuration, and restart nginx once."
	};
}
/** Whoever runs a master of his own can make its title name any program of root. */
function notOfUnit({ uid, unit, path }, { uid: actor }) {
	if (uid === actor || unit?.startsBinary === true) return void 0;
	return {
		message: `the master runs as user ${uid} and says that it was started as ${path}, which its unit${unit === null ? "" : ` ${unit.name}`} does not start: a user can make his master say that of any file`,
		fix: "Start nginx in ExecStart= of the unit by the path of its binary, without a script, and restart it once."
	};
}
function binaryDirectory({ binaryPlace, path }) {
	if (binaryPlace === "") return void 0;
	return {
		message: `root runs ${path}, and ${binaryPlace === "several" ? "several users can" : `user ${binaryPlace} can, who owns it or a directory that leads to it,`} put another file there at any time, also in the instant of the switch`,
		fix: `Let root alone own and write the directory and all that lead to it (chown root, chmod go-w).`
	};
}
function otherRoot({ sameRoot, path }) {
	if (sameRoot) return void 0;
	return {
		message: `the master sees another directory at the path of ${path} (a chroot, RootDirectory=, or a mount of its own): it would not find the new file there`,
		fix: "Keep the binary in a directory that both see, and restart once."
	};
}
function noexec({ surroundings: { mount }, path }) {
	if (mount === null || !mount.options.includes("noexec")) return void 0;
	return {
		message: `${path} lies on ${mount.point}, which is mounted noexec: exec of the new binary would fail`,
		fix: `mount -o remount,exec ${mount.point}`
	};
}
/** A fork that fails leaves the master unable to reload for good (ngx_spawn_process, ngx_exec_new_binary). */
function processLimit(master, facts) {
	const { processesLeft } = master.surroundings;
	const needed = wantedWorkers(master, facts) + 5;
	if (processesLeft === null || processesLeft >= needed) return void 0;
	return {
		message: `the limits of nginx leave room for ${processesLeft} more processes, the new generation needs ${needed}: fork would fail`,
		fix: "Raise TasksMax= of the unit (systemctl set-property), or LimitNPROC= where the master is no root."
	};
}
function memory({ surroundings: { heldKb, freeKb } }) {
	if (freeKb === null || freeKb >= heldKb) return void 0;
	const mb = (kb) => `${Math.round(kb / 1024)} MiB`;
	return {
		message: `the old generation holds ${mb(heldKb)} of memory, and ${mb(freeKb)} are free for the new one beside it: the kernel may end either`,
		fix: "Free some, or raise MemoryMax= of the unit."
	};
}
function accessControl({ surroundings: { label, selinuxEnforces }, path, pidFile }) {
	if (label === "" || /unconfined/.test(label)) return void 0;
	if (label.includes(":") && !selinuxEnforces) return void 0;
	return {
		message: `the master is confined (${label}): the policy has to allow exec of ${path} and the rename of ${pidFile}`,
		fix: label.includes(":") ? "The new file gets the label of the old one; look for AVC lines in the audit log after a `plan`." : `See that the profile has: ${path} mrix, ${pidFile} rw, ${pidFile}.oldbin rw.`
	};
}
/** What every shell and every unit sets, and nginx never reads. */
const IRRELEVANT = /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TERM|TZ|PWD|INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_EXEC_PID)$/;
/** The new master gets TZ, and what `env` names (ngx_set_environment). */
function environmentLost(master) {
	const { unit, surroundings } = master;
	const kept = new Set(argsOf(master, "main", "env").map((args) => args.split("=", 1)[0]));
	const lost = (unit?.properties.get("Environment") ?? "").split(" ").filter((name) => name !== "").filter((name) => !kept.has(name) && !IRRELEVANT.test(name));
	const file = unit?.properties.get("EnvironmentFiles") ?? "";
	const parts = [
		lost.length > 0 ? `variables of ${unit?.name}: ${lost.join(", ")}` : "",
		file === "" ? "" : `variables from ${file.replace(/ \(.*$/, "")}`,
		surroundings.preloads.length > 0 && !kept.has("LD_PRELOAD") ? `preloaded: ${surroundings.preloads.join(", ")}` : ""
	].filter((part) => part !== "");
	if (parts.length === 0) return void 0;
	return {
		message: `the new master does not get what nginx was started with (${parts.join("; ")}): only TZ and what \`env\` names`,
		fix: "Name them in the configuration with `env`, or link the library in; then reload."
	};
}
function capabilities({ fileCapabilities, path, surroundings }) {
	if (fileCapabilities === "") return void 0;
	return {
		message: `${path} has file capabilities${surroundings.noNewPrivileges ? " (which do nothing here: NoNewPrivileges is set)" : ""}: ${fileCapabilities}; the new file is given the same`,
		fix: "Nothing needs to be done. AmbientCapabilities= in the unit would not depend on the file."
	};
}
/** nginx runs execve(argv[0]) without searching PATH, relative to the master's directory (ngx_exec_new_binary). */
function relativeArgv0({ argv0, cwd, path, pathInode, exeInode }) {
	if (argv0.startsWith("/")) return void 0;
	return {
		message: pathInode !== "" && pathInode === exeInode ? `nginx was started as "${argv0}" in ${cwd}, not by an absolute path; it still resolves to the running file ${path}` : `nginx was started as "${argv0}" in ${cwd}, and from there that leads to no file that runs: exec of the new binary would fail`,
		fix: "Start nginx by an absolute path (in its unit or start script) and restart it once."
	};
}
function notTheRunningFile({ argv0, exe, exeInode, path, pathInode }) {
	if (pathInode === exeInode || !argv0.startsWith("/") && pathInode === "") return void 0;
	return {
		message: `the master runs ${exe}, but its command ${argv0} leads to ${pathInode === "" ? "no file" : `another file, ${path}`}: a package or a deployment replaced it`,
		fix: "Restart nginx once so that it runs the file on disk. Where that is accepted, what is at that path now is what a rollback restores."
	};
}
/**
* Codes that refuse for good only in some cases: `relative-argv0` is survivable where it leads to the running file (contract,
* section 6), `binary-directory` where there is one user, with whose rights all is done there.
*/
function isSurvivable(code, { path, pathInode, exeInode, binaryPlace }) {
	if (code === "binary-directory") return binaryPlace !== "several";
	return code !== "relative-argv0" || path !== "" && pathInode !== "" && pathInode === exeInode;
}

// src/host/preflight/master-checks.ts
const HOST_CHECKS = [
	{
		code: "not-running",
		check: ({ whyNot, masters }) => whyNot === "not-running" ? {
			message: `no running nginx master was found; an upgrade hands over the sockets of a running one. Seen: ${masters || "none"}`,
			fix: "Start nginx, or correct `pid-file` if it names another instance."
		} : void 0
	},
	{
		code: "ambiguous-master",
		check: ({ whyNot, masters }) => whyNot === "ambiguous-master" ? {
			message: `several nginx masters run here, and signalling the wrong one would upgrade another site: ${masters}`,
			fix: "Name the instance with `pid-file`."
		} : void 0
	},
	{
		code: "master-user",
		check: ({ whyNot, masters }) => whyNot === "master-user" ? {
			message: `nginx runs as another user than the one who acts here, and as no system service from a directory that only root can write to; what such a process names must not get root's rights: ${masters}`,
			fix: "Log in as the user that the master runs as, or become that user: `sudo: sudo -n -u NAME`. Where its file was replaced since it started, restart it once."
		} : void 0
	},
	{
		code: "pid-file-wrong",
		check: ({ whyNot, masters }) => whyNot === "other-pid-file" ? {
			message: `the pid file that \`pid-file\` names holds the number of a master whose own configuration names another one, and no master's names this one: whoever may write there could have any instance upgraded. Seen: ${masters}`,
			fix: "Correct `pid-file`, or the `pid` directive; where that was changed on disk, restart nginx once."
		} : void 0
	},
	{
		code: "master-hidden",
		check: ({ whyNot, masters }) => whyNot === "master-hidden" ? {
			message: `the login may not look into its own nginx master, because the file that it runs has capabilities: ${masters}`,
			fix: "Run nginx as a system service from a directory of root (User= in the unit), and let the login become root with sudo."
		} : void 0
	},
	{
		code: "container-pid1",
		check: ({ whyNot, masters }) => whyNot === "container-pid1" ? {
			message: `nginx runs only inside a container (another pid namespace), where USR2 is ignored: ${masters}`,
			fix: "Roll the container with its orchestrator instead."
		} : void 0
	}
];
const USR2 = 2048n;
const WINCH = 134217728n;
const QUIT = 4n;
const MASTER_CHECKS = [
	{
		code: "daemon-off",
		check: daemonOff
	},
	{
		code: "master-process-off",
		check: ({ masterProcess }) => masterProcess === "off" ? {
			message: "`master_process off`: a single process takes the upgrade signal but never acts on it",
			fix: "Remove `master_process off` and restart nginx once."
		} : void 0
	},
	{
		code: "upgrade-in-progress",
		check: otherUpgrade
	},
	{
		code: "stale-oldbin",
		check: ({ oldbin, pidFile, process, predecessor }) => oldbin !== null && oldbin !== "directory" && oldbin !== String((predecessor?.process ?? process).pid) ? {
			message: `${pidFile}.oldbin is left from an earlier upgrade (it holds "${oldbin}"); nginx will overwrite it`,
			fix: `Remove it, so that no script signals that number: rm ${pidFile}.oldbin`
		} : void 0
	},
	{
		code: "pid-file-missing",
		check: ({ pidText, pidFile, process }) => pidText === null ? {
			message: `${pidFile} is missing: on USR2 the master could not rename it and would stay unable to reload (ngx_exec_new_binary)`,
			fix: `Write it again: echo ${process.pid} > ${pidFile}`
		} : void 0
	},
	{
		code: "pid-file-wrong",
		check: ({ pidText, pidFile, process, oldbin }) => pidText !== null && pidText !== String(process.pid) && oldbin !== String(process.pid) ? {
			message: `${pidFile} holds "${pidText}", the master is ${process.pid}: whoever signals by that file hits another process or none`,
			fix: `Find out who wrote it, then: echo ${process.pid} > ${pidFile}`
		} : void 0
	},
	{
		code: "pid-directory",
		check: pidDirectory
	},
	{
		code: "signals-blocked",
		check: signalsBlocked
	}
];
/** ngx_signal_handler ignores USR2 while the parent is the one from the start, as it is without daemonizing. */
function daemonOff({ daemon, parent }) {
	if (daemon !== "off") return void 0;
	return {
		message: `\`daemon off\` is set and the parent is process ${parent}: nginx ignores USR2 (or later WINCH) in this mode`,
		fix: "Use `daemon on` with a unit of Type=forking and PIDFile=, and restart nginx once; in a container, roll the container."
	};
}
function otherUpgrade({ children, oldbin, process, predecessor }) {
	if (predecessor !== null) {
		const { pid } = predecessor.process;
		return {
			message: `the old master ${pid} of the last upgrade still drains (${predecessor.workers} workers); while it lives, nginx ignores USR2`,
			fix: `Wait for its connections to end, or cut them: kill -TERM ${pid}`
		};
	}
	const newMaster = children.find(({ role }) => role === "master");
	const draining = children.filter(({ role }) => role === "leaving");
	if (newMaster === void 0 && oldbin !== String(process.pid)) return void 0;
	return {
		message: `another upgrade was begun here and not ended: old master ${process.pid}, new master ${newMaster?.process.pid ?? "none"}, ${draining.length} old workers shutting down. nginx ignores a second USR2 meanwhile`,
		fix: `End it first. Keep the new version: kill -QUIT ${process.pid}. Go back: kill -HUP ${process.pid}, and when its workers accept, kill -QUIT ${newMaster?.process.pid ?? "the new master"}.`
	};
}
function pidDirectory({ pidFile, pidDirWritable, oldbin }) {
	if (oldbin === "directory") return {
		message: `${pidFile}.oldbin is a directory: the rename at USR2 would fail`,
		fix: `rmdir ${pidFile}.oldbin`
	};
	if (pidDirWritable) return void 0;
	return {
		message: `the directory of ${pidFile} is not writable: the rename at USR2 would fail and leave the master unable to reload`,
		fix: "Make it writable for the user that the master runs as."
	};
}
function signalsBlocked({ signals, surroundings: { threads } }) {
	const mask = (name) => BigInt(`0x${new RegExp(`${name}:([0-9a-f]+)`).exec(signals)?.[1] ?? "0"}`);
	const caught = mask("SigCgt");
	const missing = [
		["USR2", USR2],
		["WINCH", WINCH],
		["QUIT", QUIT]
	].filter(([, bit]) => (caught & bit) === 0n || (mask("SigBlk") & bit) !== 0n);
	if (missing.length === 0 && threads > 1) return {
		message: `the master runs ${threads} threads, which nginx does not start: a module or an engine did, and a signal may reach one of those`,
		fix: "Restart nginx once without that module, or upgrade by restart."
	};
	if (missing.length === 0) return void 0;
	return {
		message: `the master blocks or does not catch ${missing.map(([name]) => name).join(", ")}: a module or an engine changed its signal mask`,
		fix: "Restart nginx once without that module, or upgrade by restart."
	};
}

// src/host/preflight/service-checks.ts
/** systemd follows a new main process only through the pid file of a forking unit (service_load_pid_file). */
const SERVICE_CHECKS = [
	{
		code: "systemd-type",
		check: unitType
	},
	{
		code: "systemd-no-pidfile",
		check: noPidFile
	},
	{
		code: "systemd-pidfile-differs",
		check: pidFileDiffers
	},
	{
		code: "service-limits",
		check: serviceLimits
	}
];
function unitType({ unit }) {
	const type = unit?.properties.get("Type");
	if (unit === null || type === void 0 || type === "forking") return void 0;
	return {
		message: `${unit.name} has Type=${type}: systemd takes the end of the old master for the end of the service`,
		fix: `Change it once: [Service] Type=forking, PIDFile=<the pid file>, and \`daemon on\`; then restart ${unit.name}.`
	};
}
function noPidFile({ unit, pidFile }) {
	if (unit === null || unit.properties.get("Type") !== "forking" || unit.properties.get("PIDFile")) return void 0;
	return {
		message: `${unit.name} is Type=forking without PIDFile=: when the old master ends, systemd ends every process of the new one`,
		fix: `Add a drop-in: systemctl edit ${unit.name}, then [Service] PIDFile=${pidFile}, systemctl daemon-reload and one restart.`
	};
}
function pidFileDiffers({ unit, pidFile }) {
	const named = unit?.properties.get("PIDFile");
	if (unit === null || !named || samePath(named, pidFile)) return void 0;
	return {
		message: `${unit.name} has PIDFile=${named}, nginx writes ${pidFile}: systemd would lose the new master and end it`,
		fix: "Make both the same path, systemctl daemon-reload, and restart nginx once."
	};
}
/** What a process has it hands on; a unit's new words count from the next cold start on. */
function serviceLimits({ unit, surroundings: { openFiles, mostFiles } }) {
	const reload = unit?.properties.get("NeedDaemonReload") === "yes";
	const limit = unit?.properties.get("LimitNOFILE");
	const differs = openFiles !== null && limit !== void 0 && limit !== "infinity" && openFiles.hard !== lower(limit, mostFiles);
	if (unit === null || !reload && !differs) return void 0;
	const what = differs ? `LimitNOFILE=${limit}, and nginx runs with ${openFiles.hard}` : "changes that systemd has not read yet";
	return {
		message: `${unit.name} has ${what}: the new master inherits what the old one has, and the next cold start is the first to try the rest`,
		fix: "systemctl daemon-reload, and plan a restart."
	};
}
function lower(limit, most) {
	return Number(most) < Number(limit) ? most : limit;
}
/** /var/run is a link to /run wherever systemd runs. */
function samePath(a, b) {
	const real = (path) => node_path.posix.normalize(path).replace(/^\/var\/run\//, "/run/");
	return real(a) === real(b);
}

// src/host/preflight/preflight.ts
/** The checks that need no more than the host's facts. */
function judgeHost(facts, rules) {
	const host = HOST_CHECKS.map(({ code, check }) => named(code, check(facts)));
	const { master } = facts;
	if (master === null) return sort(host, {
		rules,
		master
	});
	const checks = [
		...MASTER_CHECKS,
		...EXEC_CHECKS,
		...CONFIG_CHECKS,
		...SERVICE_CHECKS,
		...NOTICE_CHECKS
	];
	return sort([...host, ...checks.map(({ code, check }) => named(code, check(master, facts)))], {
		rules,
		master
	});
}
/** The checks of the new file; those of its build only where it could be asked. */
function judgeCandidate(candidate, facts, rules) {
	const { master } = facts;
	if (master === null) return {
		refusals: [],
		warnings: []
	};
	const checks = [...FILE_CHECKS, ...candidate.build.version === "" ? [] : BUILD_CHECKS];
	const context = {
		master,
		facts,
		allowDowngrade: rules.allowDowngrade
	};
	return sort(checks.map(({ code, check }) => named(code, check(candidate, context))), {
		rules,
		master
	});
}
/** One finding that was made elsewhere (health, configuration test), by the same rules. */
function judgeFinding(finding, rules) {
	return sort([finding], {
		rules,
		master: null
	});
}
function joined(...judgements) {
	return {
		refusals: judgements.flatMap(({ refusals }) => refusals),
		warnings: judgements.flatMap(({ warnings }) => warnings)
	};
}
function named(code, found) {
	return found === void 0 ? void 0 : {
		code,
		...found
	};
}
function sort(findings, given) {
	const sorted = {
		refusals: [],
		warnings: []
	};
	for (const finding of findings) {
		if (finding === void 0) continue;
		const { mild: _, ...plain } = finding;
		if (accepted(finding, given)) sorted.warnings.push(plain);
		else sorted.refusals.push({
			...plain,
			fix: `${plain.fix}${wayAround(finding, given.master)}`
		});
	}
	return sorted;
}
/** What the user may decide, said where it is refused. */
function wayAround({ code }, master) {
	return PREFLIGHT_CODES.get(code) === "survivable" && (master === null || isSurvivable(code, master)) ? ` Or accept it: \`allow: ${code}\`.` : "";
}
function accepted({ code, mild }, { rules, master }) {
	const severity = PREFLIGHT_CODES.get(code);
	if (severity === "warns" || mild === true) return true;
	return severity === "survivable" && rules.allow.has(code) && (master === null || isSurvivable(code, master));
}

// src/host/inspect.ts
/** Reads the target's facts and writes what runs there into the result. Changes nothing on the target. */
async function inspect(run) {
	const facts = await phase(run, "inspect", () => orCancelled(run.cancel, () => run.agent.facts()));
	const { master, ours } = facts;
	run.result.state = stateOf(facts);
	if (master !== null && ours.upgrade === null) {
		const version = parseBuildInfo(master.build).version || null;
		Object.assign(run.result, {
			previousVersion: version,
			version,
			oldMaster: master.process
		});
		Object.assign(run.result, {
			previousSha256: master.sha256,
			sha256: master.sha256
		});
	}
	if (ours.broken !== null && !["status", "build"].includes(run.config.command)) throw new require_errors.Refused([brokenFinding(booksMessage(ours))]);
	return facts;
}
function booksMessage({ directory, broken }) {
	return `the books of an upgrade under way in ${directory} cannot be read: ${broken ?? ""}`;
}
function stateOf({ master, whyNot, ours: { upgrade, broken } }) {
	if (broken !== null) return "broken";
	if (upgrade !== null) return upgrade.phase === "held" ? "held" : "upgrading";
	if (master === null) return whyNot === "not-running" ? "broken" : null;
	return master.predecessor === null ? "idle" : "draining";
}
function rulesOf({ config }) {
	return {
		allow: config.switch.allow,
		allowDowngrade: config.switch.allowDowngrade
	};
}
/** Every check that can be made before anything is sent; throws Refused with all that refuses. */
function preflight(run, facts) {
	const rules = rulesOf(run);
	const file = run.binary === void 0 ? [] : [judgeCandidate(run.binary, facts, rules)];
	settle(run, joined(judgeHost(facts, rules), ...file));
	const { master } = facts;
	if (master === null) throw new require_errors.Refused([{
		code: "not-running",
		message: "no nginx master was found",
		fix: "Start it."
	}]);
	return {
		...run,
		facts: {
			...facts,
			master
		}
	};
}
/** Throws what refuses this host whatever the new binary is, before that costs anything. */
function refuseEarly(run, facts) {
	const { refusals } = judgeHost(facts, rulesOf(run));
	if (refusals.length > 0) throw new require_errors.Refused(refusals);
}
/** Notes the warnings and throws the refusals. */
function settle(run, judgement) {
	run.result.warnings.push(...judgement.warnings);
	if (judgement.refusals.length > 0) throw new require_errors.Refused(judgement.refusals);
}

// src/host/obtaining.ts
/** The new binary for this target; obtained already, mostly. */
async function obtain(run, master) {
	const { supply } = run;
	if (supply === void 0) throw new require_errors.UpgradeError("internal", "no binary was asked for");
	return phase(run, "obtain", () => supply.for(master));
}

// src/host/build.ts
/** Only the new binary, as this target needs it. Changes nothing on the target. */
async function buildFor(run) {
	const facts = await inspect(run);
	built(run.result, await obtain(run, facts.master));
}
function built(result, binary) {
	if (binary === void 0) return;
	const { build, sha256, path } = binary;
	Object.assign(result, {
		outcome: "built",
		version: build.version,
		sha256
	});
	result.notes.push(`The new binary: ${path}`, `configure arguments: ${printArgs(build.arguments)}`);
}

// src/target/probed-port.ts
/** Lines of `PLACE listen KIND ADDRESS INODE,INODE`, `PLACE local ADDRESS,ADDRESS`, `here resolved ADDRESS`. */
function parseProbed(lines) {
	const found = {
		here: {
			sockets: [],
			local: []
		},
		there: {
			sockets: [],
			local: []
		},
		resolved: []
	};
	for (const line of lines) {
		const [place, what, first = "", address = "", inodes = ""] = line.split(" ");
		if (place !== "here" && place !== "there") continue;
		const network = found[place];
		if (what === "listen" && (first === "tcp" || first === "tcp6")) network.sockets.push({
			kind: first,
			address,
			inodes: inodes.split(",")
		});
		else if (what === "local") network.local.push(...first.split(","));
		else if (what === "resolved") found.resolved.push(first);
	}
	return found;
}

// src/target/surroundings.ts
/** From lines of `KEY=VALUE`; a key may come several times. */
function parseSurroundings(lines) {
	const all = (key) => lines.flatMap((line) => line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []);
	const first = (key) => all(key)[0];
	const number = (key) => first(key) === void 0 ? null : Number(first(key));
	const [options, point] = splitOnce(first("mount") ?? "");
	const [soft, hard] = splitOnce(first("nofile") ?? "");
	return {
		threads: number("Threads") ?? 1,
		noNewPrivileges: first("NoNewPrivs") === "1",
		seccomp: first("Seccomp") === "2",
		openFiles: soft === "" ? null : {
			soft,
			hard
		},
		mostFiles: splitOnce(first("mostFiles") ?? "")[1],
		mount: point === "" ? null : {
			options: options.split(","),
			point
		},
		label: first("label") ?? "",
		selinuxEnforces: first("selinux") === "1",
		preloads: all("preload"),
		heldKb: number("held") ?? 0,
		freeKb: least([number("available"), inKb(number("cgroupMemory"))]),
		processesLeft: least([number("cgroupPids"), number("userPids")])
	};
}
function splitOnce(text) {
	const at = text.indexOf(" ");
	return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
function inKb(bytes) {
	return bytes === null ? null : Math.floor(bytes / 1024);
}
function least(numbers) {
	const known = numbers.filter((each) => each !== null);
	return known.length === 0 ? null : Math.min(...known);
}

// src/target/facts.ts
/** What a process of nginx says it is: `leaving` is a worker that shuts down, `cache` also a privileged agent. */
const ROLES = [
	"worker",
	"leaving",
	"master",
	"cache",
	"other"
];
const UPGRADE_PHASES = [
	"staged",
	"rehearsing",
	"begun",
	"ready",
	"retired",
	"held",
	"committing",
	"undoing"
];
/** Throws TypeError where a field is missing or of another type. */
function parseFacts(raw) {
	const read = fieldsOf(raw, "facts");
	return {
		uid: read.number("uid"),
		machine: read.textOrNull("machine") ?? "",
		cpus: read.numberOrNull("cpus") ?? 1,
		systemd: read.flag("systemd"),
		guardKind: read.text("guardKind"),
		whyNot: read.textOrNull("whyNot"),
		masters: read.text("masters"),
		master: isObject(raw["master"]) ? parseMaster(raw) : null,
		ours: parseOwn(raw)
	};
}
function parseMaster(raw) {
	const read = fieldsOf(raw, "facts of the master");
	const unit = read.object("unit");
	const predecessor = processOf(read.object("predecessor"));
	return {
		machine: read.textOrNull("machine") ?? "",
		title: read.text("title"),
		titleCut: read.flag("titleCut"),
		unsafe: words(read.text("unsafe")),
		argv0: read.text("argv0"),
		cwd: read.text("cwd"),
		path: read.text("path"),
		binaryPlace: read.text("binaryPlace"),
		modulesPlace: read.text("modulesPlace"),
		exe: read.text("exe"),
		exeInode: read.text("exeInode"),
		sharedWith: read.textOrNull("sharedWith") ?? "",
		pathInode: read.text("pathInode"),
		magic: read.text("magic").replaceAll(" ", ""),
		sha256: read.text("sha256"),
		build: read.text("build"),
		signals: read.text("signals"),
		prefix: read.text("prefix"),
		conf: read.text("conf"),
		pidFile: read.text("pidFile"),
		optC: read.text("optC"),
		optP: read.text("optP"),
		optE: read.text("optE"),
		libc: read.text("libc"),
		libraries: new Set(words(read.text("libraries"))),
		directives: read.lines("directives").map(parseDirective),
		modules: read.lines("modules"),
		pidDirective: read.text("pidDirective"),
		user: read.text("user"),
		daemon: read.text("daemon"),
		masterProcess: read.text("masterProcess"),
		workerProcesses: read.text("workerProcesses"),
		acceptMutex: read.text("acceptMutex"),
		errorLog: read.text("errorLog"),
		process: processOf(read.object("master")) ?? {
			pid: 0,
			startTime: ""
		},
		parent: read.number("parent"),
		predecessor: predecessor === null ? null : {
			process: predecessor,
			workers: read.number("predecessorWorkers")
		},
		uid: read.number("masterUid"),
		sameMounts: read.flag("sameMounts"),
		sameRoot: read.flag("sameRoot"),
		sameNetwork: read.flag("sameNetwork"),
		probed: parseProbed(read.lines("probe")),
		surroundings: parseSurroundings(read.lines("about")),
		package: read.text("package"),
		fileCapabilities: read.text("fileCapabilities"),
		pathNginx: otherNginx(read.text("pathNginx"), read.text("pathNginxVersion")),
		newestConfig: newestOf(read.text("newestConfig")),
		encryptedKeys: read.lines("encryptedKeys"),
		clock: {
			epoch: read.number("epoch"),
			uptime: read.number("uptime")
		},
		diskFreeKb: read.number("diskFreeKb"),
		pathWritable: read.flag("pathWritable"),
		pidText: read.textOrNull("pidText"),
		oldbin: read.textOrNull("oldbin"),
		ledPaths: read.lines("ledPaths").map(parseLed),
		pidDirWritable: read.flag("pidDirWritable"),
		listeners: read.lines("listeners"),
		children: read.objects("children").map(parseChild),
		unit: unit === null ? null : parseUnit(unit)
	};
}
function words(text) {
	return text.split(" ").filter((word) => word !== "");
}
function parseDirective(line) {
	const [context = "", name = "", ...args] = line.split(" ");
	return {
		context,
		name,
		args: args.join(" ")
	};
}
function otherNginx(path, said) {
	return path === "" ? null : {
		path,
		version: parseBuildInfo(said).version
	};
}
function parseLed(line) {
	const at = line.lastIndexOf(":");
	return {
		directory: line.slice(0, at),
		user: line.slice(at + 1).trim() || null
	};
}
function newestOf(text) {
	const [, at, file] = /^(\d+) (.+)$/.exec(text) ?? [];
	return at === void 0 || file === void 0 ? null : {
		at: Number(at),
		file
	};
}
function parseChild(raw) {
	const read = fieldsOf(raw, "facts of a child");
	return {
		process: {
			pid: read.number("pid"),
			startTime: read.text("startTime")
		},
		role: ROLES.find((role) => role === raw["role"]) ?? "other",
		accepting: read.flag("accepting"),
		sameFile: read.flag("sameFile"),
		connections: Math.max(0, read.number("watched") - 1)
	};
}
function parseUnit(raw) {
	const read = fieldsOf(raw, "facts of the unit");
	const properties = keyValues(read.lines("properties"));
	return {
		name: read.text("name"),
		startsBinary: read.flag("startsBinary"),
		properties
	};
}
function parseOwn(raw) {
	const read = fieldsOf(raw, "facts of earlier runs");
	const table = (name) => Array.isArray(raw[name]) ? keyValues(read.lines(name), decoded) : null;
	const upgrade = read.object("upgrade");
	return {
		directory: read.text("directory"),
		lock: table("lock"),
		lockAlive: read.flag("lockAlive"),
		upgrade: upgrade === null ? null : parseUpgrade(upgrade),
		broken: read.textOrNull("broken"),
		previous: table("previous"),
		last: table("last"),
		retained: read.lines("retained")
	};
}
function parseUpgrade(raw) {
	const read = fieldsOf(raw, "facts of the upgrade under way");
	const phase = UPGRADE_PHASES.find((known) => known === raw["phase"]);
	if (phase === void 0) throw new TypeError(`the target is in a phase unknown to this version: ${read.text("phase")}`);
	return {
		nonce: read.text("nonce"),
		phase,
		kind: read.text("kind"),
		run: read.text("run"),
		who: read.text("who"),
		oldSha256: read.text("old_sha"),
		newSha256: read.text("new_sha"),
		oldVersion: read.text("old_version"),
		newVersion: read.text("new_version"),
		guardKind: read.text("guard_kind"),
		oldMaster: processOf(read.object("oldMaster")),
		newMaster: processOf(read.object("newMaster")),
		parked: read.flag("parked"),
		oldLives: read.flag("oldLives"),
		newLives: read.flag("newLives"),
		decision: read.text("decision"),
		decisionWhy: read.text("decisionWhy"),
		guardLives: read.flag("guardLives"),
		sameBoot: read.flag("sameBoot"),
		deadlineIn: read.number("deadlineIn") * 100
	};
}
/** A process record of the helper; null where there is none. */
function processOf(raw) {
	if (raw === null) return null;
	const read = fieldsOf(raw, "a process");
	return {
		pid: read.number("pid"),
		startTime: read.text("startTime")
	};
}
function keyValues(lines, read = (value) => value) {
	return new Map(lines.map((line) => [line.split("=", 1)[0] ?? "", read(line.slice(line.indexOf("=") + 1))]));
}
/** In its books the helper writes `%`, `|` and control characters by their numbers. */
function decoded(value) {
	return value.replaceAll(/%([0-7][0-9a-f])/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)));
}

// src/connection/socket.ts
/** Connects within `timeout`; rejects with the system's error, or one with the code `ETIMEDOUT`. */
function openSocket(to, timeout) {
	return new Promise((resolve, reject) => {
		const socket = (0, node_net.connect)({
			host: to.host,
			port: to.port,
			noDelay: true
		});
		let started = performance.now();
		socket.on("connectionAttempt", () => {
			started = performance.now();
		});
		const timer = setTimeout(() => socket.destroy(timedOut()), timeout);
		socket.on("error", (error) => {
			clearTimeout(timer);
			reject(error);
		});
		socket.once("connect", () => {
			clearTimeout(timer);
			resolve({
				socket,
				roundTripMs: performance.now() - started
			});
		});
	});
}
/**
* ssh2 writes each packet in up to three pieces, which TCP_NODELAY would turn into as many segments: whatever is
* written within one tick leaves in one system call instead.
*/
function coalesceWrites(socket) {
	const original = socket.write.bind(socket);
	let corked = false;
	const release = () => {
		corked = false;
		socket.uncork();
	};
	const write = (...args) => {
		if (!corked) {
			corked = true;
			socket.cork();
			process.nextTick(release);
		}
		return Reflect.apply(original, void 0, args);
	};
	Object.assign(socket, { write });
}
const FAULTS = {
	ECONNREFUSED: {
		finding: "the connection was refused: nothing listens there, or a firewall says no",
		transient: true
	},
	ECONNRESET: {
		finding: "the connection was reset",
		transient: true
	},
	EPIPE: {
		finding: "the connection was closed",
		transient: true
	},
	ETIMEDOUT: {
		finding: "no answer at all: wrong address, host down, or a firewall that drops packets",
		transient: true
	},
	EHOSTUNREACH: {
		finding: "no route to that host",
		transient: true
	},
	ENETUNREACH: {
		finding: "no route to that network",
		transient: true
	},
	EAI_AGAIN: {
		finding: "the name could not be looked up: DNS gave no answer",
		transient: true
	},
	ENOTFOUND: {
		finding: "the name has no address (DNS)",
		transient: false
	}
};
/** What a failed connection means, in words. */
function networkFault(error) {
	const first = error instanceof AggregateError ? error.errors[0] : error;
	return FAULTS[errorCode(error)] ?? FAULTS[errorCode(first)] ?? {
		finding: require_errors.messageOf(first),
		transient: false
	};
}
function errorCode(error) {
	const code = error instanceof Error && "code" in error ? error.code : void 0;
	return typeof code === "string" ? code : "";
}
function timedOut() {
	return Object.assign(/* @__PURE__ */ new Error("no answer in time"), { code: "ETIMEDOUT" });
}

// src/connection/connect.ts
/** Reaches this machine itself, or a host over SSH. Rejects with UpgradeError: `unreachable`, `host-key`, `auth`. */
async function connect(target, { ssh, log }) {
	if (target.kind === "local") {
		const { connectLocal } = await Promise.resolve().then(() => require("./local.cjs"));
		return connectLocal();
	}
	const { host, port, user } = target;
	const opening = openSocket({
		host,
		port
	}, ssh.connectTimeout);
	opening.catch(() => {});
	const { connectLibrary } = await Promise.resolve().then(() => require("./library.cjs"));
	try {
		return await connectLibrary({
			host,
			port,
			user,
			ssh,
			opening,
			...log === void 0 ? {} : { log }
		});
	} catch (error) {
		opening.then(({ socket }) => socket.destroy()).catch(() => {});
		throw error;
	}
}

// src/target/helper-refused.ts
/** The target said no before anything was asked: no shell, no sudo. `code` is a preflight code. */
var HelperRefused = class extends Error {
	name = "HelperRefused";
	code;
	/** Nothing was said either way: a host under heavy load may be like that for a while. */
	mayPass;
	constructor(code, message, { mayPass = false } = {}) {
		super(message);
		this.code = code;
		this.mayPass = mayPass;
	}
};

// src/target/preface.ts
/** Said by our command before anything else: a POSIX shell runs it. */
const WORD = "nhu1";
/**
* In csh `$?shell` is 1, elsewhere the last exit status comes before it. fish reads all that it is sent before it runs
* any of it, and refuses `$?` and what follows with it.
*/
const ASKS = `test "$?shell" = 1 && echo "${WORD} read by $shell" || echo "${WORD} read by $0"; exit 64`;
/** For whoever did not understand the first line. */
const ENDS = "exit 64";
const PREFACE = `${ASKS}\n${ENDS}\n`;
/** `read` is part of every shell and takes no byte beyond the line's end. */
const TAKE_PREFACE = "read -r NHU;read -r NHU;";
/** Tells line by line; a prompt or a profile may have written something before, without a newline. */
function signs() {
	let asked = false;
	return (line) => {
		if (asked && line.endsWith(ENDS) && !line.endsWith(ASKS)) return {
			noise: "",
			echoed: true
		};
		asked ||= line.endsWith(ASKS);
		const reader = new RegExp(`${WORD} read by ([^"'$]+)$`).exec(line)?.[1];
		if (reader !== void 0) return {
			noise: "",
			reader
		};
		if (line.endsWith("nhu1")) return {
			noise: line.slice(0, -4),
			word: true
		};
		return { noise: line };
	};
}
/** The shell that names itself in its complaint about what it was sent: fish does. */
function complaining(said) {
	return /^(?:\S*\/)?-?([a-z]{0,4}sh): /m.exec(said)?.[1];
}

// src/target/start-watch.ts
const SILENCE = 15e3;
/** fish tells what it is at the end of its input only. */
const LAST_WORDS = 1e3;
/** Finds out whether a POSIX shell runs our command. Exits: the word; a shell that names itself; an echo; silence; `stop`. */
function watchStart(channel, circumstances) {
	const refused = Promise.withResolvers();
	refused.promise.catch(() => {});
	const over = new AbortController();
	const read = signs();
	let hungUp = false;
	const refuse = (message, mayPass = false) => refused.reject(new HelperRefused("shell-denied", message, { mayPass }));
	async function listen(limit) {
		await (0, node_timers_promises.setTimeout)(limit, void 0, { signal: over.signal });
		hungUp = true;
		const before = circumstances.noise().length;
		channel.stdin.end();
		if ((await Promise.race([channel.ended, (0, node_timers_promises.setTimeout)(LAST_WORDS)]))?.kind === "lost") return;
		await (0, node_timers_promises.setTimeout)(20);
		const noise = circumstances.noise();
		const shell = complaining(noise.slice(before));
		const said = noise.trim().slice(0, 300);
		const silence = `nothing that was sent was run within ${limit < 1e3 ? `${limit} ms` : `${limit / 1e3} s`}`;
		const instead = said === "" ? "" : `; it said instead: ${said}`;
		if (shell === void 0) refuse(`the login does not run the command: ${silence} (its program only waits, or its start files take longer)${instead}`, true);
		else refuse(`${readBy(shell)}: ${silence}${instead}`);
	}
	if (!circumstances.afterSudo) listen(Math.min(SILENCE, circumstances.within)).catch(() => {});
	return {
		refused: refused.promise,
		get hungUp() {
			return hungUp;
		},
		take(line) {
			const { noise, word, reader, echoed } = read(line);
			if (word !== void 0) over.abort();
			if (reader !== void 0) refuse(readBy(reader.slice(0, 100)));
			if (echoed !== void 0) refuse("instead of running the command, the login's program sends back what it is sent");
			return noise;
		},
		stop: () => over.abort()
	};
}
function readBy(shell) {
	return `instead of running the command, the login runs ${shell}, which reads its standard input`;
}

// src/target/converse.ts
const MAX_LINE = 1048576;
const MAX_NOISE = 4096;
/** Reads records as they come; everything else is noise, kept for the error message that may need it. */
function converse(channel, { marker, ...about }) {
	const waiting = /* @__PURE__ */ new Map();
	let noise = "";
	let elevating = false;
	const chatter = (text) => {
		if (noise.length < MAX_NOISE) noise += text;
	};
	const start = watchStart(channel, {
		...about,
		noise: () => noise + unfinished()
	});
	channel.stdin.on("error", () => {});
	channel.stderr.on("data", (bytes) => chatter(bytes.toString("utf8")));
	const unfinished = onLines(channel, (line) => {
		const record = parseRecord(line, marker);
		if (record === void 0) return chatter(`${start.take(line)}\n`);
		if (record.kind === "garbled") {
			const error = new require_errors.UpgradeError("internal", `the target's helper answered something unreadable: ${record.line}`);
			for (const { reject } of waiting.values()) reject(error);
		} else if (record.kind === "event") {
			elevating ||= record.event === "elevating";
			waiting.get(record.id)?.onEvent?.(record.event);
		} else waiting.get(record.answer.id)?.resolve(record.answer);
	});
	return {
		noise: () => (noise + unfinished()).trim().slice(0, 500),
		async next({ id, within, turn, onEvent }) {
			const answer = new Promise((resolve, reject) => {
				waiting.set(id, {
					resolve,
					reject,
					onEvent
				});
			});
			const stop = new AbortController();
			const silence = Promise.resolve(turn).then(() => (0, node_timers_promises.setTimeout)(within, void 0, { signal: stop.signal })).then(() => {
				if (id === 0 && start.hungUp) return start.refused;
				throw new require_errors.UpgradeError("internal", silent({
					within,
					said: id === 0 ? noise + unfinished() : ""
				}));
			}, () => new Promise(() => {}));
			try {
				return await Promise.race([
					answer,
					silence,
					ending(channel, {
						first: id === 0,
						start,
						elevating: () => elevating,
						noise: () => noise + unfinished()
					}),
					...id === 0 ? [start.refused] : []
				]);
			} finally {
				if (id === 0) start.stop();
				stop.abort();
				waiting.delete(id);
			}
		}
	};
}
function silent({ within, said }) {
	return `no answer from the target's helper within ${within} ms${said.trim() === "" ? "" : `; it said instead: ${said.trim().slice(0, 300)}`}`;
}
/** What sudo says where it was asked without the gate. */
const COMPLAINTS = /^sudo: |password is required|not in the sudoers|a terminal is required/m;
/** Rejects when the helper ends before it answered. An answer that was written just before is still read first. */
async function ending(channel, { first, start, elevating, noise }) {
	const ended = await channel.ended;
	await (0, node_timers_promises.setTimeout)(20);
	if (first && start.hungUp && ended.kind !== "lost") return start.refused;
	const said = noise().trim().slice(0, 300);
	if (ended.kind === "lost") throw new require_errors.UpgradeError("connection-lost", `the connection was lost: ${ended.cause}`);
	const how = ended.kind === "exit" ? `exit code ${ended.code}` : `signal ${ended.signal}`;
	if (!first) throw new require_errors.UpgradeError("connection-lost", `the target's helper ended (${how}) without an answer. ${said}`);
	if (elevating() || COMPLAINTS.test(said)) throw new HelperRefused("sudo-denied", said || how);
	throw new HelperRefused("shell-denied", `the login shell ended (${how}) instead of running a command. ${said}`);
}
/**
* Hands out whole lines; what it returns tells the piece after the last newline. Of a line longer than any of ours
* the beginning is handed out: dropped, it would be an answer that never comes.
*/
function onLines(channel, take) {
	let rest = "";
	channel.stdout.setEncoding("utf8");
	channel.stdout.on("data", (text) => {
		const lines = (rest + text).split("\n");
		rest = (lines.pop() ?? "").slice(0, MAX_LINE);
		for (const line of lines) take(line.slice(0, MAX_LINE));
	});
	return () => rest;
}

// src/target/helper-text.ts
const helperText = () => (0, node_fs.readFileSync)(new URL("./helper.sh", require("url").pathToFileURL(__filename).href), "utf8");

// src/target/program.ts
/** Read once, whatever the number of targets. */
const programs = {};
/**
* The helper as it is sent: without comments and indentation, which are a third of it and one round trip more on a new
* connection, and without trailing newline (a command substitution drops it there).
*/
function helperProgram() {
	return programs.helper ??= asSent(helperText());
}
/** What decides on the target whether the helper has to run as root. In the bundle this file lies beside that one, too. */
function gateProgram() {
	return programs.gate ??= asSent((0, node_fs.readFileSync)(new URL("./gate.sh", require("url").pathToFileURL(__filename).href), "utf8"));
}
function asSent(text) {
	return text.trimEnd().replaceAll(/^ *#(?!!).*\n|^\n|^ +/gm, "");
}
/**
* A program as it travels: each line a comment. Some logins give every line that they read to a shell of its own, and
* nothing ends those.
*/
function unrunnable(program) {
	return program.replaceAll(/^/gm, "#");
}
/** The command line for a new helper, and what it must find on its standard input first. */
function startOf({ entry, sudo, elevate, marker, pidFile }) {
	const program = unrunnable(helperProgram());
	const bytes = program.length;
	if (elevate !== "asNeeded") return {
		command: startCommand({
			entry,
			bytes,
			sudo: elevate === "now" ? sudo : []
		}),
		input: `${PREFACE}${program}nhu1\t${marker}\n`
	};
	const gate = unrunnable(`{\nNHU_START='${readAndRun(bytes)}'\n${gateProgram()}\n}`);
	const hello = [
		"nhu1",
		marker,
		`sudo=${sudo.join(" ")}`,
		...pidFile === void 0 ? [] : [`pid_file=${pidFile}`]
	];
	return {
		command: startCommand({
			entry,
			bytes: gate.length,
			sudo: []
		}),
		input: `${PREFACE}${gate}${hello.join("	")}\n${PREFACE}${program}nhu1\t${marker}\n`
	};
}
/**
* The command line that makes any login shell read exactly `bytes` of program from standard input, behind the preface,
* and run it.
*/
function startCommand(options) {
	const role = options.sudo.length > 0 ? [options.entry, "elevated"] : [options.entry];
	const words = `echo ${WORD};${readAndRun(options.bytes)}`;
	return [
		...options.sudo,
		"/bin/sh",
		"-c",
		`'${words}'`,
		"nginx-hot-upgrade",
		...role
	].join(" ");
}
/**
* Shells differ in how far they read ahead on `sh -s`, and so do the `head`s: `dd` counts. One that knows no such flags
* says so before it reads. The words hold neither single quotes nor `!`, so that csh and fish take them as well.
*/
function readAndRun(bytes) {
	return `PATH=/usr/sbin:/usr/bin:/sbin:/bin;${TAKE_PREFACE}NHU=$({ dd bs=65536 iflag=fullblock,count_bytes count=${bytes}||dd bs=1 count=${bytes};} 2>/dev/null|cut -b2-);eval "\$NHU"`;
}

// src/target/session.ts
/**
* Starts a helper. What is asked before its first record has come goes along with it, and is answered behind that.
* Rejects with UpgradeError where no command can be started.
*/
async function openSession(connection, options) {
	const marker = (0, node_crypto.randomBytes)(8).toString("hex");
	const { entry, sudo, elevate, pidFile } = options;
	const start = startOf({
		entry,
		sudo,
		elevate,
		marker,
		...pidFile === void 0 ? {} : { pidFile }
	});
	const channel = await connection.start(start.command);
	const talk = converse(channel, {
		marker,
		within: options.within,
		afterSudo: elevate === "now"
	});
	channel.stdin.write(start.input);
	const ready = firstAnswer(channel, {
		talk,
		within: options.within
	});
	ready.catch(() => {});
	giveUpOn(options.cancel, {
		channel,
		until: ready
	});
	let requests = 0;
	let written = Promise.resolve();
	let turn = Promise.resolve();
	return {
		ready: ready.then(({ fields }) => ({ elevated: fields["elevated"] === true })),
		get requests() {
			return requests;
		},
		ask(verb, { fields = {}, within, onEvent, bytes }) {
			requests += 1;
			const id = requests;
			const line = requestLine(id, verb, fields);
			written = written.then(() => write(channel, {
				line,
				bytes
			})).catch(() => {});
			const answer = talk.next({
				id,
				within,
				turn,
				...onEvent === void 0 ? {} : { onEvent }
			});
			turn = answer.catch(() => {});
			return answer;
		},
		close: () => channel.stdin.end()
	};
}
const PIECE = 262144;
/** A request and what follows it. Where the stream ends, the helper's answer, or its absence, says why. */
async function write(channel, { line, bytes }) {
	const { stdin, ended } = channel;
	stdin.write(line);
	if (bytes === void 0) return;
	for (let at = 0; at < bytes.length && stdin.writable; at += PIECE) if (!stdin.write(bytes.subarray(at, at + PIECE))) await Promise.race([(0, node_events.once)(stdin, "drain"), ended]);
}
/** Leaves no process behind on the target where the first answer is a refusal or does not come. */
async function firstAnswer(channel, { talk, within }) {
	try {
		const first = await talk.next({
			id: 0,
			within
		});
		if (first.ok) return first;
		throw refusal(first.reason, `${first.message} ${talk.noise()}`.trim());
	} catch (error) {
		channel.abort();
		throw error;
	}
}
/** The run may end right after: what waits on the target must not wait for that. */
function giveUpOn(cancel, { channel, until }) {
	if (cancel === void 0) return;
	const abort = () => channel.abort();
	const forget = () => cancel.removeEventListener("abort", abort);
	if (cancel.aborted) return abort();
	cancel.addEventListener("abort", abort);
	until.then(forget, forget);
}
/** Fields are separated by tabs; values come from checked inputs and hold neither tabs nor newlines. */
function requestLine(id, verb, fields) {
	return [
		id,
		verb,
		...Object.entries(fields).map(([name, value]) => `${name}=${String(value).replaceAll(/[\t\r\n]/g, " ")}`)
	].join("	") + "\n";
}
function refusal(reason, message) {
	if (reason === "sudo-denied" || reason === "shell-denied") return new HelperRefused(reason, message);
	return new require_errors.UpgradeError("internal", message);
}

// src/target/lifeline.ts
const MOST_LOSSES = 5;
/** Connects and starts the helper. Rejects with UpgradeError or HelperRefused. */
async function openLifeline(options) {
	const { config, resume } = options;
	let now = await establish(options, options.cancel);
	let earlier = 0;
	let renewal;
	let heard = performance.now();
	const outages = [];
	async function renew(lost) {
		const from = heard;
		earlier += now.session.requests;
		now.connection.close();
		now = await establishAgain(options, lost);
		outages.push({
			from,
			to: performance.now()
		});
		await resume(now.session);
	}
	return {
		connection: () => now.connection,
		session: () => now.session,
		requests: () => earlier + now.session.requests,
		outages: () => outages,
		noteSilence: (span) => void outages.push(span),
		async overLosses(attempt) {
			for (let losses = 0;; losses += 1) {
				const used = now;
				try {
					const answer = await attempt();
					heard = performance.now();
					return answer;
				} catch (error) {
					if (!isLoss(error) || losses >= MOST_LOSSES || options.cancel.aborted) throw error;
					if (used === now) renewal ??= renew(error).finally(() => renewal = void 0);
					await renewal;
				}
			}
		},
		openBeside: (entry) => {
			const elevate = now.elevated ? "now" : "never";
			return openSession(now.connection, {
				...helperOptions(config),
				entry,
				elevate
			});
		},
		close() {
			now.session.close();
			now.connection.close();
		}
	};
}
/** `cancel` is for the first time only: a way back that was begun is gone to its end, or nobody could tell the guard to act. */
async function establish({ target, config, log, whileWaiting, early }, cancel) {
	const connection = await connect(target, {
		ssh: config.ssh,
		...log === void 0 ? {} : { log }
	});
	try {
		const options = {
			...helperOptions(config),
			...cancel === void 0 ? {} : { cancel }
		};
		const opening = openSession(connection, {
			...options,
			entry: "session"
		});
		if (whileWaiting !== void 0) setImmediate(whileWaiting);
		const session = await opening;
		early(session);
		return {
			connection,
			session,
			...await session.ready
		};
	} catch (error) {
		connection.close();
		throw error;
	}
}
/** Exits: connected; another host key, login or command refused; no connection shortly before the guard's deadline. */
async function establishAgain(options, lost) {
	const until = performance.now() + Math.max(options.config.switch.confirmTimeout - 5e3, 5e3);
	for (let wait = 200;; wait = Math.min(wait * 2, 3e3)) try {
		return await establish(options);
	} catch (error) {
		if (isHopeless(error) || performance.now() + wait > until) {
			const message = `${require_errors.messageOf(lost)}; connecting again failed: ${require_errors.messageOf(error)}`;
			throw new require_errors.UpgradeError("connection-lost", message, { cause: error });
		}
		await (0, node_timers_promises.setTimeout)(wait);
	}
}
/** A silence is not: the login ran our command before, and the host may have much to do. */
function isHopeless(error) {
	if (error instanceof HelperRefused) return !error.mayPass;
	return !(error instanceof require_errors.UpgradeError) || ["host-key", "auth"].includes(error.reason);
}
function helperOptions({ commandTimeout, sudo, pidFile }) {
	return {
		sudo,
		elevate: sudo.length === 0 ? "never" : "asNeeded",
		within: Math.min(commandTimeout, 6e4),
		...pidFile === void 0 ? {} : { pidFile }
	};
}
function isLoss(error) {
	return error instanceof require_errors.UpgradeError && error.reason === "connection-lost";
}

// src/target/agent.ts
/** The upgrade was closed by the guard or by somebody else while this run was away. */
var ClosedMeanwhile = class extends Error {
	name = "ClosedMeanwhile";
	outcome;
	why;
	constructor(outcome, why) {
		super(`the upgrade was closed meanwhile: ${outcome} (${why})`);
		this.outcome = outcome;
		this.why = why;
	}
};
/** Connects and starts the helper. Rejects with UpgradeError or HelperRefused. */
async function openAgent(target, options) {
	const { config, identity } = options;
	const memory = {
		wanted: wantedFacts(options),
		nonce: "",
		directory: "",
		decision: ""
	};
	const resume = (session) => takeUpAgain(session, {
		memory,
		options
	});
	const early = (session) => {
		memory.early = askFacts(session, {
			memory,
			config
		});
		memory.early.catch(() => {});
	};
	const lifeline = await openLifeline({
		target,
		early,
		resume,
		...options
	});
	const beside = (verb, fields, within) => askBeside(lifeline, {
		verb,
		fields,
		within,
		memory
	});
	return {
		link: linkOver(lifeline),
		requests: lifeline.requests,
		outages: lifeline.outages,
		noteSilence: lifeline.noteSilence,
		nonce: () => memory.nonce,
		facts: () => lifeline.overLosses(() => earlyOr(memory, () => askFacts(lifeline.session(), {
			memory,
			config
		}))),
		ask(verb, { fields = {}, waits = 0, onEvent, bytes } = {}) {
			if (verb === "prepare" || verb === "adopt") memory.nonce = String(fields["nonce"] ?? memory.nonce);
			if (verb === "commit" || verb === "rollback") memory.decision = verb;
			if (verb === "adopt" && fields["decide"] !== void 0) memory.decision = String(fields["decide"]);
			const given = {
				fields: {
					who: identity.who,
					run: identity.run,
					...fields
				},
				within: Math.max(config.commandTimeout, waits + 15e3),
				...onEvent === void 0 ? {} : { onEvent },
				...bytes === void 0 ? {} : { bytes }
			};
			const extend = () => beside("extend", { nonce: memory.nonce }, 1e4);
			const alive = {
				extend,
				everyMs: config.switch.confirmTimeout / 3,
				cancel: options.cancel
			};
			return lifeline.overLosses(() => withSignOfLife(lifeline.session().ask(verb, given), alive));
		},
		askBeside: beside,
		close: lifeline.close
	};
}
/** The present link, whichever that is. */
function linkOver(lifeline) {
	return {
		start: (command) => lifeline.connection().start(command),
		dial: (to) => lifeline.connection().dial(to),
		get lost() {
			return lifeline.connection().lost;
		},
		get roundTripMs() {
			return lifeline.connection().roundTripMs;
		},
		close: () => lifeline.connection().close()
	};
}
/** What was asked ahead of time serves once: later facts are to be new. */
function earlyOr(memory, ask) {
	const { early } = memory;
	memory.early = void 0;
	return early ?? ask();
}
function wantedFacts({ config: { pidFile }, probe }) {
	return {
		...pidFile === void 0 ? {} : { pid_file: pidFile },
		...probe === void 0 ? {} : { probe }
	};
}
async function askFacts(session, { memory, config }) {
	const facts = parseFacts((await session.ask("facts", {
		fields: memory.wanted,
		within: config.commandTimeout
	})).fields);
	memory.directory = facts.ours.directory;
	return facts;
}
/** On a new session: in charge of the upgrade again, or an error that says how it was closed meanwhile. */
async function takeUpAgain(session, { memory, options }) {
	const { config, identity } = options;
	const { ours } = await earlyOr(memory, () => askFacts(session, {
		memory,
		config
	}));
	const { nonce } = memory;
	if (nonce === "") return;
	if (ours.upgrade?.nonce !== nonce) {
		const { last } = ours;
		if (last?.get("nonce") === nonce) throw new ClosedMeanwhile(last.get("outcome") ?? "", last.get("why") ?? "");
		if (ours.upgrade === null) return;
		throw new require_errors.UpgradeError("changed-by-others", "another upgrade is under way on this host");
	}
	const { decision, decisionWhy } = ours.upgrade;
	if (decision !== "" && decision !== memory.decision) throw new require_errors.DecidedElsewhere(`${decision} ${decisionWhy}`);
	const fields = {
		nonce,
		run: identity.run
	};
	const adopted = await session.ask("adopt", {
		fields,
		within: config.commandTimeout
	});
	if (adopted.reason === "rebooted") throw new ClosedMeanwhile(String(adopted.fields["outcome"]), "reboot");
}
async function askBeside(lifeline, { verb, fields, within, memory }) {
	const other = await lifeline.openBeside("once");
	try {
		await other.ready;
		return await other.ask(verb, {
			fields: {
				dir: memory.directory,
				...fields
			},
			within
		});
	} finally {
		other.close();
	}
}
/** A verb that waits long must not outlive the guard's deadline while its run is alive. */
async function withSignOfLife(body, { extend, everyMs, cancel }) {
	const timer = setInterval(() => {
		if (!cancel.aborted) extend().catch(() => {});
	}, everyMs);
	try {
		return await body;
	} finally {
		clearInterval(timer);
	}
}

// src/host/closing.ts
/** QUIT: the point of no return. What the result says of the target is what it answered after its last change. */
async function commit(run, sides) {
	const answer = await phase(run, "commit", async () => {
		const waits = run.config.switch.drainTimeout * 2;
		return succeededOrClosed(await run.agent.ask("commit", { waits }), run);
	});
	const drained = fieldsOf(answer.fields, "commit").flag("oldGone");
	Object.assign(run.result, {
		drained,
		state: drained ? "idle" : "draining",
		reason: null
	});
	Object.assign(run.result, {
		version: sides.new.version || null,
		previousVersion: sides.old.version || null
	});
	run.result.previousSha256 = sides.old.sha256;
	await phase(run, "verify", async () => readBack(run, {
		answer,
		expected: sides.new.sha256
	}));
}
/** Throws ClosedMeanwhile where the target says how somebody else closed it. */
function succeededOrClosed(answer, { result }) {
	const read = fieldsOf(answer.fields, answer.verb);
	const outcome = read.textOrNull("outcome") ?? "stuck";
	if (!answer.ok && outcome !== "stuck") throw new ClosedMeanwhile(outcome, read.textOrNull("why") ?? "");
	return mustSucceed(answer, result);
}
/** Ends the step with the new generation serving and the old master parked under the guard. */
async function hold(run, sides) {
	const answer = mustSucceed(await run.agent.ask("hold"), run.result);
	const read = fieldsOf(answer.fields, "hold");
	const deadline = new Date(Date.now() + read.number("deadlineIn") * 100).toISOString();
	run.result.guard = {
		deadline,
		kind: read.text("guardKind")
	};
	if (!read.flag("parked")) run.result.notes.push("Both generations accept connections: it was held before WINCH.");
	Object.assign(run.result, {
		outcome: "held",
		state: "held",
		version: sides.new.version,
		sha256: sides.new.sha256
	});
	Object.assign(run.result, {
		previousVersion: sides.old.version,
		previousSha256: sides.old.sha256
	});
}
/** Back at once; what the target answers afterwards goes into the result. */
async function rollBack(run, { why, sides }) {
	await phase(run, "rollback", async () => {
		const waits = run.config.switch.drainTimeout * 2 + 6e4;
		const answer = mustSucceed(await run.agent.ask("rollback", {
			fields: { why },
			waits
		}), run.result);
		const read = fieldsOf(answer.fields, "rollback");
		const outcome = read.text("outcome");
		if (outcome === "rolled-back") readBack(run, {
			answer,
			expected: sides.old.sha256
		});
		closedAs(run, {
			outcome,
			why: read.textOrNull("why") || why,
			sides
		});
	});
}
/** The result for an upgrade whose books were closed with `outcome`. */
function closedAs(run, closed) {
	const { outcome, why, sides } = closed;
	const side = outcome === "committed" ? sides.new : sides.old;
	Object.assign(run.result, {
		version: side.version || null,
		sha256: side.sha256,
		state: "idle"
	});
	Object.assign(run.result, {
		previousVersion: sides.old.version || null,
		previousSha256: sides.old.sha256
	});
	run.result.outcome = OUTCOME_OF[outcome] ?? "failed";
	if (outcome === "committed") run.result.reason = null;
	if (outcome === "rolled-back" && why === "service-restarted" && run.result.reason !== null) run.result.reason = byOthers("the service was restarted by others: the old version is on disk, and serves again");
	if (outcome === "outage" || outcome === "down") {
		run.result.reason = {
			code: "outage",
			message: `nothing served any more (${why}); ${OUTAGE[outcome]}`
		};
		run.result.state = outcome === "down" ? "broken" : "idle";
	}
	if (outcome === "changed-by-others") changedByOthers(run, {
		why,
		sides
	});
	if (OUTCOME_OF[outcome] === void 0) run.result.reason ??= {
		code: "internal",
		message: `the target does not know how the upgrade was closed ("${outcome}")`
	};
}
function byOthers(message) {
	return {
		code: "changed-by-others",
		message
	};
}
/** Somebody else ended it, or stands in the way. */
function changedByOthers(run, { why, sides }) {
	run.result.outcome = "failed";
	if (why === "old-master-gone") {
		Object.assign(run.result, {
			version: sides.new.version || null,
			sha256: sides.new.sha256
		});
		run.result.reason = byOthers("the old master was ended by others, and nothing to go back to was left; the new version serves, and is on disk");
	} else if (why === "service-stopped") {
		Object.assign(run.result, {
			state: "broken",
			version: null,
			sha256: null
		});
		run.result.reason = byOthers("the service was stopped by others: nothing runs, and it was not started again");
	} else if (why === "service-restarted") {
		Object.assign(run.result, {
			version: null,
			sha256: null
		});
		run.result.reason = byOthers("the service was restarted by others, and another version than the old one runs now");
	} else leftAsItIs(run);
}
/** A file that is not ours is at the binary's path: both generations are left as they are. */
function leftAsItIs({ result }) {
	const [old, next] = [result.oldMaster?.pid, result.newMaster?.pid];
	Object.assign(result, {
		state: "broken",
		version: null,
		sha256: null
	});
	result.reason = {
		code: "changed-by-others",
		message: "another file was put at the path of the binary during the upgrade; it was not touched, and both generations were left as they are"
	};
	result.notes.push(`To keep the new version: kill -QUIT ${old}. To go back: kill -HUP ${old}, and when its workers accept, kill -QUIT ${next}.`);
}
const OUTCOME_OF = {
	"rolled-back": "rolled-back",
	committed: "upgraded",
	untouched: "failed"
};
const OUTAGE = {
	outage: "the old version was started anew",
	down: "starting the old version failed too"
};
/** ngx_exec_new_binary remembers a failure inside the master as a new binary that still runs. */
function poisonedNote(pid) {
	return `Do not reload nginx now: its master ${pid} serves, but could not start a new one, takes itself for being in an upgrade, and every HUP would only add workers. What hindered it is in the evidence: remove that, then restart nginx once.`;
}
/** Reads the target's own words after the last change and compares them with what was meant. */
function readBack(run, { answer, expected }) {
	const read = fieldsOf(answer.fields, answer.verb);
	const master = processOf(read.object("master"));
	if (master === null) {
		Object.assign(run.result, {
			state: "broken",
			version: null,
			sha256: null
		});
		throw new NotAsMeant("outage", "after the last change no master was found");
	}
	const running = read.text("runningSha256");
	const doubts = [
		running === expected ? "" : `the running file has the digest ${running}, expected ${expected}`,
		read.flag("diskRuns") ? "" : "the file on disk is not the one that runs",
		read.text("pidText") === String(master.pid) ? "" : `the pid file holds "${read.text("pidText")}", expected ${master.pid}`,
		read.number("accepting") > 0 ? "" : "no worker accepts"
	].filter((doubt) => doubt !== "");
	run.result.sha256 = running;
	if (read.flag("poisoned")) run.result.notes.push(poisonedNote(master.pid));
	if (expected !== run.result.previousSha256) run.result.newMaster = master;
	if (doubts.length > 0) throw new NotAsMeant("changed-by-others", `reading back: ${doubts.join("; ")}`);
}

// src/host/retreat.ts
/**
* After a failure: back to the old generation, by whoever can do it. Always leaves a result that says what is true on
* the target, or that this is unknown.
*/
async function retreat(run, { cause, sides }) {
	run.result.reason = reasonOf(cause);
	if (cause instanceof NotAsMeant) return;
	try {
		if (cause instanceof Cancelled) await cancelOnTarget(run, sides);
		else if (cause instanceof ClosedMeanwhile) closedBy(run, {
			cause,
			sides
		});
		else if (cause instanceof require_errors.DecidedElsewhere) await waitUntilClosed(run, sides);
		else if (isLost(cause)) leftToGuard(run);
		else if (run.config.switch.autoRollback || !await canHold(run, sides)) await rollBack(run, {
			why: run.result.reason.code,
			sides
		});
	} catch (error) {
		await lastResort(run, {
			error,
			sides
		});
	}
}
/** Held for inspection, where a new master is left to look at. */
async function canHold(run, sides) {
	try {
		await hold(run, sides);
		return true;
	} catch (error) {
		if (error instanceof require_errors.UpgradeError && error.reason === "new-master-died") return false;
		throw error;
	}
}
/** One command on a channel of its own: the guard acts now. Its answer comes within five seconds. */
async function cancelOnTarget(run, sides) {
	const fields = { nonce: run.agent.nonce() };
	const answer = await run.agent.askBeside("cancel", fields, 5500);
	const closed = new Map(/nonce=(\S*) outcome=(\S*) why=(\S*)/.exec(fieldsOf(answer.fields, "cancel").text("closed"))?.slice(1).entries());
	const outcome = closed.get(1);
	if (outcome !== void 0 && closed.get(0) === run.agent.nonce()) {
		closedAs(run, {
			outcome,
			why: closed.get(2) ?? "cancelled",
			sides
		});
		if (outcome === "untouched") run.result.notes.push("Nothing was changed on the target.");
		return;
	}
	run.result.state = "upgrading";
	run.result.notes.push("The guard on the target is going back to the old version; `status` shows when it is done.");
}
function closedBy(run, { cause, sides }) {
	run.result.reason = reasonOf(cause);
	closedAs(run, {
		outcome: cause.outcome,
		why: cause.why,
		sides
	});
}
/** Exits: the books are closed; the drain time and a minute are over. */
async function waitUntilClosed(run, sides) {
	const until = performance.now() + run.config.switch.drainTimeout + 6e4;
	await run.agent.ask("release");
	for (;;) {
		const { ours } = await run.agent.facts();
		if (ours.upgrade === null) {
			const outcome = ours.last?.get("outcome") ?? "";
			const why = ours.last?.get("why") ?? "";
			closedBy(run, {
				cause: new ClosedMeanwhile(outcome, why),
				sides
			});
			return;
		}
		if (performance.now() > until) throw new require_errors.UpgradeError("internal", "the rollback that was decided on the target does not end");
		await (0, node_timers_promises.setTimeout)(200);
	}
}
function leftToGuard(run) {
	run.result.state = null;
	const seconds = Math.round(run.config.switch.confirmTimeout / 1e3);
	const decided = run.result.phases.some(({ name }) => name === "commit");
	run.result.notes.push(decided ? "The commit had been asked for, and whether it was decided is unknown here: the target goes on to the new version, or back to the old one, by itself; run `status` to see." : `What the target does now is unknown here. Without a sign of life its guard goes back to the old version within ${seconds} s; run \`status\` to see.`);
}
async function lastResort(run, { error, sides }) {
	if (error instanceof ClosedMeanwhile) return closedBy(run, {
		cause: error,
		sides
	});
	run.result.outcome = "failed";
	if (error instanceof NotAsMeant) {
		run.result.reason = reasonOf(error);
		return;
	}
	if (isLost(error)) return leftToGuard(run);
	run.result.state = "broken";
	run.result.notes.push(`Going back failed: ${require_errors.messageOf(error)}. The guard on the target goes on trying; run \`status\`.`);
}
/** The target may still be in the middle of something. */
function isLeftOpen(cause) {
	if (cause instanceof Cancelled || cause instanceof ClosedMeanwhile || cause instanceof require_errors.DecidedElsewhere) return true;
	return isLost(cause);
}
function isLost(error) {
	return error instanceof require_errors.UpgradeError && error.reason === "connection-lost";
}
function reasonOf(error) {
	if (error instanceof require_errors.UpgradeError) return {
		code: error.reason,
		message: error.message
	};
	if (error instanceof Cancelled) return {
		code: "cancelled",
		message: `the run was cancelled (${error.message})`
	};
	if (error instanceof ClosedMeanwhile) return {
		code: require_errors.REASONS.find((known) => known === error.why) ?? "changed-by-others",
		message: error.message
	};
	if (error instanceof require_errors.DecidedElsewhere) return {
		code: "guard-expired",
		message: error.message
	};
	return {
		code: "internal",
		message: require_errors.messageOf(error)
	};
}

// src/health/connect.ts
/** Opens the probe's own TCP stream. Rejects with the dialler's error, or when the signal aborts. */
function dial(target, signal) {
	return orAborted(target.dial === void 0 ? connectDirectly(target.url, signal) : target.dial(), signal);
}
/** Wraps `stream` in TLS, always verified. Rejects with the handshake's error, or when the signal aborts. */
async function secure(stream, target, signal) {
	const tls = await import("node:tls");
	const name = certificateName(target);
	const socket = tls.connect({
		socket: stream,
		host: name,
		...(0, node_net.isIP)(name) === 0 ? { servername: name } : {},
		secureContext: await authorities(target.ca),
		ALPNProtocols: ["http/1.1"],
		rejectUnauthorized: true
	});
	try {
		return await orAborted(handshake(socket), signal);
	} catch (error) {
		socket.destroy();
		throw error;
	}
}
/** The name to ask for and to find in the certificate: that of the `Host` header, else the URL's. */
function certificateName(target) {
	const header = target.headers.find(([name]) => name.toLowerCase() === "host")?.[1];
	return (header === void 0 ? target.url.host : header.trim()).replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
}
const contexts = /* @__PURE__ */ new Map();
/** Reading the system's authorities takes 0.1 s, so every probe of a run shares what the first one read. */
async function authorities(ca) {
	const known = contexts.get(ca);
	if (known !== void 0) return known;
	const tls = await import("node:tls");
	const trusted = ca === void 0 ? systemAuthorities(tls) : [ca];
	const context = tls.createSecureContext(trusted.length === 0 ? {} : { ca: trusted });
	contexts.set(ca, context);
	return context;
}
/** Empty where there are none, or the runtime cannot read them: then those that come with the runtime count. */
function systemAuthorities(tls) {
	if (typeof tls.getCACertificates !== "function") return [];
	const system = tls.getCACertificates("system");
	return system.length === 0 ? [] : [.../* @__PURE__ */ new Set([...system, ...tls.getCACertificates("extra")])];
}
/** Where the TCP connection of a probe goes. */
function endOf(url) {
	const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
	return {
		host: url.hostname.replace(/^\[|\]$/g, ""),
		port
	};
}
function connectDirectly(url, signal) {
	return new Promise((resolve, reject) => {
		const socket = (0, node_net.connect)({
			...endOf(url),
			noDelay: true,
			signal
		});
		socket.once("error", reject);
		socket.once("connect", () => {
			socket.off("error", reject);
			resolve(socket);
		});
	});
}
function handshake(socket) {
	return new Promise((resolve, reject) => {
		socket.once("error", reject);
		socket.once("close", () => reject(/* @__PURE__ */ new Error("the connection was closed during the handshake")));
		socket.once("secureConnect", () => resolve(socket));
	});
}
/** A stream that opens after the caller has left is destroyed. */
function orAborted(pending, signal) {
	return new Promise((resolve, reject) => {
		const leave = () => {
			reject(/* @__PURE__ */ new Error("given up"));
			pending.then((stream) => stream.on("error", () => {}).destroy(), () => {});
		};
		if (signal.aborted) return leave();
		signal.addEventListener("abort", leave, { once: true });
		pending.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
	});
}

// src/health/gaps.ts
const EVIDENCE_LINES = 10;
/** What the shots (in the order of their due times) add up to. Latencies are those of good answers, from the due time. */
function streamNumbers(all, measuring) {
	const seen = all.map((shot) => isBlind(shot, measuring) ? {
		...shot,
		verdict: "inconclusive"
	} : shot);
	const shots = measuring.redBefore ? fromFirstGood(seen) : seen;
	const late = shots.filter((shot) => isLate(shot, measuring));
	const latencies = shots.flatMap(({ verdict, due, done }) => verdict === "good" && done !== void 0 ? [done - due] : []);
	latencies.sort((a, b) => a - b);
	return {
		sent: all.filter(({ verdict }) => verdict !== "skipped").length,
		failed: shots.filter(hasFailed).length,
		longestGapMs: Math.round(longestGap(shots, measuring)),
		p50Ms: quantile(latencies, .5),
		p99Ms: quantile(latencies, .99),
		inconclusive: shots.filter(({ verdict }) => verdict === "inconclusive").length,
		stalled: late.length,
		evidence: evidence(shots, measuring)
	};
}
/** Nearest rank, to a tenth; null without values. `sorted`: ascending. */
function quantile(sorted, q) {
	const value = sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)];
	return value === void 0 ? null : Math.round(value * 10) / 10;
}
/** From the due time of the first shot that failed or stalled to the next good answer; the longest of these, or 0. */
function longestGap(shots, measuring) {
	let longest = 0;
	let over = -Infinity;
	for (const [index, shot] of shots.entries()) {
		if (shot.due < over || !(hasFailed(shot) || isLate(shot, measuring))) continue;
		over = nextGood(shots.slice(index), measuring.end);
		longest = Math.max(longest, over - shot.due);
	}
	return longest;
}
function nextGood(shots, end) {
	let earliest = end;
	for (const { verdict, due, done } of shots) {
		if (due >= earliest) break;
		if (verdict === "good" && done !== void 0) earliest = Math.min(earliest, done);
	}
	return earliest;
}
function isBlind(shot, measuring) {
	if (!hasFailed(shot) && !isLate(shot, measuring)) return false;
	return (measuring.blind ?? []).some(({ from, to }) => shot.due <= to && (shot.done ?? measuring.end) >= from);
}
function hasFailed({ verdict }) {
	return verdict === "bad" || verdict === "outstanding";
}
function isLate({ verdict, due, done }, { stallMs }) {
	return verdict === "skipped" || verdict === "good" && done !== void 0 && done - due > stallMs;
}
function fromFirstGood(shots) {
	const first = shots.findIndex(({ verdict }) => verdict === "good");
	return first === -1 ? [] : shots.slice(first);
}
function evidence(shots, measuring) {
	return shots.filter((shot) => hasFailed(shot) || isLate(shot, measuring) || shot.verdict === "inconclusive").slice(0, EVIDENCE_LINES).map((shot) => {
		const took = (shot.done ?? measuring.end) - shot.due;
		const what = shot.verdict === "skipped" ? "not sent, too many unanswered" : `${shot.verdict} after ${took.toFixed(1)} ms`;
		return `${new Date(measuring.wall + shot.due).toISOString()} ${what}${shot.why === void 0 ? "" : `: ${shot.why}`}`;
	});
}

// src/health/judge.ts
/** A pattern that needs longer backtracks without end; it then counts as not found. */
const PATTERN_LIMIT = 100;
const EXCERPT_LENGTH = 80;
function judge$1(answer, expected) {
	const { ms } = answer;
	if (answer.kind === "inconclusive") return {
		verdict: "inconclusive",
		why: answer.message,
		ms,
		cause: answer.cause
	};
	if (answer.kind !== "answer") return {
		verdict: "bad",
		why: answer.message,
		ms
	};
	const complaint = statusComplaint(answer, expected.status) ?? bodyComplaint(answer.body, expected.body);
	return {
		verdict: complaint === void 0 ? "good" : "bad",
		why: complaint ?? `status ${answer.status}`,
		ms
	};
}
function statusComplaint({ status, body }, ranges) {
	if (ranges.some(({ from, to }) => from <= status && status <= to)) return void 0;
	return `status ${status}, expected ${ranges.map(({ from, to }) => from === to ? String(from) : `${from}-${to}`).join(", ")}; ${excerpt(body)}`;
}
function bodyComplaint(body, expected) {
	if (expected === void 0) return void 0;
	if (expected.kind === "text") {
		if (body.includes(expected.text)) return void 0;
		return `the text ${JSON.stringify(expected.text)} is missing; ${excerpt(body)}`;
	}
	const found = matches(expected, body.toString("utf8"));
	const pattern = `/${expected.source}/${expected.flags}`;
	if (found === void 0) return `looking for ${pattern} took over ${PATTERN_LIMIT} ms; use a simpler pattern`;
	return found ? void 0 : `nothing matches ${pattern}; ${excerpt(body)}`;
}
const search = new node_vm.Script("new RegExp(source, flags).test(text)");
let realm;
/** Undefined where time ran out. A realm of its own is the only place where a running pattern can be interrupted. */
function matches({ source, flags }, text) {
	realm ??= (0, node_vm.createContext)();
	Object.assign(realm, {
		source,
		flags,
		text
	});
	try {
		return search.runInContext(realm, { timeout: PATTERN_LIMIT }) === true;
	} catch (error) {
		if (Object(error).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return void 0;
		throw error;
	}
}
function excerpt(body) {
	if (body.length === 0) return "the body is empty";
	const text = body.toString("utf8", 0, 320).replaceAll(/[\p{C}\s]+/gu, " ").trim();
	return `the body starts with ${JSON.stringify(text.slice(0, EXCERPT_LENGTH))}`;
}

// src/health/answer.ts
const BODY_LIMIT = 1048576;

// src/connection/port.ts
/**
* `refused`: nothing listens there (the service's fault). `denied`: the SSH server does not allow forwarding.
* `lost`: our own link is gone (says nothing about the service).
*/
var DialError = class extends Error {
	name = "DialError";
	kind;
	constructor(kind, message) {
		super(message);
		this.kind = kind;
	}
};

// src/health/failure.ts
const DOING = {
	dial: "while connecting",
	tls: "in the TLS handshake",
	http: "while waiting for the whole answer"
};
/** Codes of the runner's own network. A connect time-out or reset may be the service's doing and is not among them. */
const OWN_NETWORK = /* @__PURE__ */ new Set([
	"EADDRNOTAVAIL",
	"EACCES",
	"EAI_AGAIN",
	"EAI_FAIL",
	"EHOSTUNREACH",
	"EMFILE",
	"ENETDOWN",
	"ENETUNREACH",
	"ENFILE",
	"ENOTFOUND",
	"EPERM"
]);
/** Whose fault an error was: the service's, or one that says nothing about it. */
function failureOf(error, at) {
	if (at.lost) return inconclusive("lost", `the link to the target was lost ${DOING[at.stage]}`);
	if (at.ended === "stopped") return inconclusive("stopped", `stopped ${DOING[at.stage]}`);
	if (at.ended === "deadline") return {
		kind: "timeout",
		message: `no full answer within ${at.timeout} ms; time ran out ${DOING[at.stage]}`
	};
	if (error instanceof DialError || at.stage === "dial") return dialFailure(error);
	return at.stage === "tls" ? tlsFailure(error) : httpFailure(error);
}
function dialFailure(error) {
	if (error instanceof DialError) {
		if (error.kind === "refused") return {
			kind: "refused",
			message: error.message
		};
		if (error.kind === "lost") return inconclusive("lost", error.message);
		return inconclusive("denied", `forwarding-denied: ${error.message}; health-from: runner probes without it`);
	}
	const code = codeOf(error);
	const message = describe$1(error);
	if (OWN_NETWORK.has(code)) return inconclusive("network", `the runner could not connect: ${message}`);
	if (code === "ETIMEDOUT") return {
		kind: "timeout",
		message
	};
	return {
		kind: "refused",
		message
	};
}
function tlsFailure(error) {
	return {
		kind: "tls",
		message: `no trusted TLS connection: ${describe$1(error)}`
	};
}
function httpFailure(error) {
	const code = codeOf(error);
	if (code === "UND_ERR_RES_EXCEEDED_MAX_SIZE") return {
		kind: "too-large",
		message: `the body is larger than ${BODY_LIMIT} bytes; probe a smaller page`
	};
	if (code === "UND_ERR_INVALID_ARG" || code === "UND_ERR_NOT_SUPPORTED") return inconclusive("request", `this request cannot be sent: ${require_errors.messageOf(error)}`);
	if (code.startsWith("ERR_SSL_")) return tlsFailure(error);
	return {
		kind: "protocol",
		message: `no complete HTTP answer: ${describe$1(error)}`
	};
}
function inconclusive(cause, message) {
	return {
		kind: "inconclusive",
		cause,
		message
	};
}
function codeOf(error) {
	return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
/** An error that tried several addresses has an empty message of its own. */
function describe$1(error) {
	const text = error instanceof AggregateError && error.message === "" ? error.errors.map((each) => require_errors.messageOf(each)).join("; ") : require_errors.messageOf(error);
	const code = codeOf(error);
	return code === "" || text.includes(code) ? text : `${text} (${code})`;
}

// src/health/undici.ts
/**
* undici's own client and `request`, without fetch, caches, mocks and WebSockets: loading those takes half of the time
* and is of no use here. The version is pinned, and the probes' tests fail where these two modules move.
*/
async function loadUndici() {
	const [{ default: client }, { default: request }] = await Promise.all([Promise.resolve().then(() => /* @__PURE__ */ require_rolldown_runtime.__toESM(require("./client.cjs").default, 1)), Promise.resolve().then(() => /* @__PURE__ */ require_rolldown_runtime.__toESM(require("./api-request.cjs").default, 1))]);
	return {
		Client: client,
		request: (using, options) => request.call(using, options)
	};
}

// src/health/request.ts
/**
* Sends one GET over one fresh connection and closes it. Follows no redirect, inflates nothing, tries nothing twice.
* Never rejects: whatever goes wrong is an answer of its own kind. `signal` gives up on it.
*/
async function sendProbe(target, signal) {
	await prepareProbes(target);
	const started = node_perf_hooks.performance.now();
	const limit = startLimit(target.timeout, signal);
	const attempt = {
		stage: "dial",
		streams: []
	};
	try {
		return {
			...await exchange(target, {
				attempt,
				signal: limit.signal
			}),
			ms: node_perf_hooks.performance.now() - started
		};
	} catch (error) {
		const ms = node_perf_hooks.performance.now() - started;
		await new Promise((resolve) => setImmediate(resolve));
		const lost = target.lost?.aborted ?? false;
		return {
			...failureOf(error, {
				stage: attempt.stage,
				ended: limit.ended(),
				lost,
				timeout: target.timeout
			}),
			ms
		};
	} finally {
		limit.clear();
		for (const stream of attempt.streams) stream.destroy();
	}
}
/** Loads what the first probe would otherwise wait for; worth calling while something else is awaited. */
async function prepareProbes(target) {
	await (rehearsed ??= rehearse$1());
	if (target.url.protocol === "https:") await authorities(target.ca);
}
let rehearsed;
/** undici compiles its parser at the first answer, 20 ms that must not count as the service's; so it gets one here. */
async function rehearse$1() {
	const [near, far] = (0, node_stream.duplexPair)();
	far.once("data", () => far.end("HTTP/1.1 204 No Content\r\n\r\n"));
	const url = new URL("http://rehearsal/");
	const client = await clientOver(near, url);
	const { signal } = new AbortController();
	return get(client, {
		target: {
			url,
			headers: [],
			timeout: 0
		},
		signal
	}).finally(() => void client.destroy());
}
async function exchange(target, { attempt, signal }) {
	let stream = keep(await dial(target, signal), attempt);
	if (target.url.protocol === "https:") {
		attempt.stage = "tls";
		stream = keep(await secure(stream, target, signal), attempt);
	}
	attempt.stage = "http";
	const client = await clientOver(stream, target.url);
	try {
		return await get(client, {
			target,
			signal
		});
	} finally {
		client.destroy();
	}
}
async function get(client, { target, signal }) {
	const { url } = target;
	const headers = withDefaults(target.headers).flat();
	const { request } = await loadUndici();
	const answer = await request(client, {
		method: "GET",
		path: url.pathname + url.search,
		headers,
		signal
	});
	return {
		kind: "answer",
		status: answer.statusCode,
		body: Buffer.from(await answer.body.arrayBuffer())
	};
}
/** One client for one stream: asked for a second connection, as undici does on its own, it fails instead. */
async function clientOver(stream, url) {
	const { Client } = await loadUndici();
	let used = false;
	return new Client(url.origin, {
		headersTimeout: 0,
		bodyTimeout: 0,
		maxResponseSize: BODY_LIMIT,
		pipelining: 0,
		connect: (_options, callback) => {
			const again = used || stream.destroyed;
			used = true;
			process.nextTick(() => {
				if (again) callback(stream.errored ?? /* @__PURE__ */ new Error("the connection was closed before the request was sent"), null);
				else callback(null, stream);
			});
		}
	});
}
function withDefaults(headers) {
	const given = new Set(headers.map(([name]) => name.toLowerCase()));
	const defaults = [["User-Agent", "nginx-hot-upgrade"], ["Accept", "*/*"]];
	return [...headers, ...defaults.filter(([name]) => !given.has(name.toLowerCase()))];
}
/** Errors that arrive between two owners of a stream, or after the probe, must not end the process. */
function keep(stream, attempt) {
	stream.on("error", () => {});
	attempt.streams.unshift(stream);
	return stream;
}
function startLimit(timeout, signal) {
	const controller = new AbortController();
	let ended;
	const end = (why) => {
		ended ??= why;
		controller.abort(new Error(why));
	};
	const stop = () => end("stopped");
	const timer = setTimeout(end, timeout, "deadline");
	if (signal.aborted) stop();
	else signal.addEventListener("abort", stop, { once: true });
	return {
		signal: controller.signal,
		ended: () => ended,
		clear: () => {
			clearTimeout(timer);
			signal.removeEventListener("abort", stop);
		}
	};
}

// src/health/verdict.ts
/**
* What the samples so far say at `now` (counted from the start of the bake). Samples are in the order in which they
* were sent, and none is still under way. Always decided in the end: a run of good answers can only be broken by a bad
* or an inconclusive one, and more than `failureLimit` of either decide.
*/
function decide(samples, { rules, now }) {
	return lostLink(samples) ?? withoutGood(samples, {
		rules,
		now
	}) ?? afterGood(samples, {
		rules,
		now
	});
}
/** How long a first good answer is waited for. */
function firstGoodWithin({ bakeTime, successes, interval, timeout }) {
	return Math.max(bakeTime, successes * (interval + timeout));
}
/**
* Whether probes can prove anything here, told by a few answers taken before any change. `red`: none was good, or more
* than `failureLimit` were bad.
*/
function judgeBaseline$1(samples, failureLimit) {
	const bad = samples.filter(({ verdict }) => verdict === "bad");
	const unsure = samples.filter(({ verdict }) => verdict === "inconclusive");
	const noneGood = bad.length + unsure.length === samples.length;
	if (bad.length > failureLimit || noneGood && bad.length > 0) return {
		state: "red",
		why: `Before any change ${bad.length} of ${count(samples.length, "answer")} bad${lastWords(bad)}`
	};
	if (unsure.length > failureLimit || noneGood) return {
		state: "inconclusive",
		why: `Before any change the probes say nothing${lastWords(unsure)}`
	};
	return {
		state: "green",
		why: `${count(samples.length - bad.length, "good answer")} before any change`
	};
}
/** Nothing that comes later can be conclusive. */
function lostLink(samples) {
	const last = samples.findLast(({ cause }) => cause !== void 0 && cause !== "network");
	return last && {
		state: "inconclusive",
		why: `The probes say nothing: ${last.why}`
	};
}
function withoutGood(samples, { rules, now }) {
	const limit = firstGoodWithin(rules);
	const first = samples.find(({ verdict }) => verdict === "good");
	if (first !== void 0 && (first.at <= limit || rules.redBefore === true)) return void 0;
	if (rules.redBefore === true) return stillRed(samples, {
		rules,
		now
	});
	if (first === void 0 && now < limit) return {
		state: "pending",
		why: `No good answer yet${lastWords(samples)}`
	};
	return {
		state: samples.some(({ verdict }) => verdict === "bad") ? "unhealthy" : "inconclusive",
		why: `No good answer within ${limit} ms${lastWords(samples.filter(({ verdict }) => verdict !== "good"))}`
	};
}
function stillRed(samples, { rules, now }) {
	if (now < rules.bakeTime || samples.length < rules.successes) return {
		state: "pending",
		why: "Red as it was before the change"
	};
	if (samples.every(({ verdict }) => verdict === "inconclusive")) return {
		state: "inconclusive",
		why: `The probes say nothing${lastWords(samples)}`
	};
	return {
		state: "healthy",
		why: `As red as before the change, which was allowed and proves nothing${lastWords(samples)}`
	};
}
function afterGood(samples, { rules, now }) {
	const since = samples.slice(samples.findIndex(({ verdict }) => verdict === "good"));
	const bad = since.filter(({ verdict }) => verdict === "bad");
	const unsure = since.filter(({ verdict }) => verdict === "inconclusive");
	const limit = `${rules.failureLimit} allowed`;
	if (bad.length > rules.failureLimit) return {
		state: "unhealthy",
		why: `${count(bad.length, "bad answer")} after a good one, ${limit}${lastWords(bad)}`
	};
	if (unsure.length > rules.failureLimit) return {
		state: "inconclusive",
		why: `${count(unsure.length, "probe")} without a meaning, ${limit}${lastWords(unsure)}`
	};
	return running(since, {
		rules,
		now
	});
}
function running(samples, { rules, now }) {
	const run = samples.length - 1 - samples.findLastIndex(({ verdict }) => verdict !== "good");
	const progress = `${run} of ${count(rules.successes, "good answer")} in a row, ${Math.min(now, rules.bakeTime)} of ${rules.bakeTime} ms`;
	if (run < rules.successes || now < rules.bakeTime) return {
		state: "pending",
		why: progress
	};
	return {
		state: "healthy",
		why: `${count(run, "good answer")} in a row, ${rules.bakeTime} ms over`
	};
}
function lastWords(samples) {
	const last = samples.at(-1);
	return last === void 0 ? "" : `; the last was ${last.why}`;
}
function count(number, noun) {
	return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

// src/health/probes.ts
const BASELINE_PROBES = 3;
/** Throws TypeError where the URL is none once `{host}` is filled in. */
function healthProbes(settings, place) {
	const shared = {
		url: probeUrl(settings.url, place.target),
		headers: settings.headers,
		...settings.ca === void 0 ? {} : { ca: settings.ca },
		timeout: settings.timeout
	};
	return probing((settings.from === "both" ? ["target", "runner"] : [settings.from]).map((source) => {
		const target = source === "runner" ? shared : {
			...shared,
			...through(place.connection, shared.url)
		};
		const send = async (signal) => judge$1(await sendProbe(target, signal), settings);
		return {
			source,
			send
		};
	}), {
		failureLimit: settings.failureLimit,
		redBefore: false
	});
}
/** Loads what the first probe of this target would otherwise wait for. Never rejects. */
async function warmUpProbes(settings, target) {
	if (settings === void 0 || settings === "none") return;
	const ca = settings.ca === void 0 ? {} : { ca: settings.ca };
	await prepareProbes({
		url: probeUrl(settings.url, target),
		...ca
	}).catch(() => {});
}
/** `{host}` is the target's host name as it is connected to; `localhost` for `local`. */
function probeUrl(template, target) {
	const host = target.kind === "local" ? "localhost" : target.host;
	return new URL(template.replaceAll("{host}", host.includes(":") ? `[${host}]` : host));
}
function probing(probes, options) {
	return {
		redBefore: options.redBefore,
		send: async (signal) => worst(await sendAll(probes, signal)),
		sendOne: async (signal) => worst(await sendAll(probes.slice(0, 1), signal)),
		baseline: (signal) => takeBaseline(probes, {
			failureLimit: options.failureLimit,
			signal
		}),
		afterAllowing: ({ redSources }) => {
			const green = probes.filter(({ source }) => !redSources.includes(source));
			if (green.length > 0) return probing(green, options);
			return probing(probes, {
				...options,
				redBefore: true
			});
		}
	};
}
function through(connection, url) {
	const { host, port } = endOf(url);
	return {
		dial: () => connection.dial({
			host,
			port
		}),
		lost: connection.lost
	};
}
async function takeBaseline(probes, { failureLimit, signal }) {
	const rounds = [];
	const answers = () => rounds.map(worst);
	while (rounds.length < BASELINE_PROBES) {
		rounds.push(await sendAll(probes, signal));
		if (answers().filter(({ verdict }) => verdict !== "good").length > failureLimit) break;
	}
	const good = answers().filter(({ verdict }) => verdict === "good");
	return {
		...judgeBaseline$1(answers(), failureLimit),
		denied: rounds.flat().some(({ cause }) => cause === "denied"),
		p99Ms: quantile(good.map(({ ms }) => ms).sort((a, b) => a - b), .99),
		redSources: probes.map(({ source }) => source).filter((source) => isRed(source, {
			rounds,
			failureLimit
		})),
		answers: answers()
	};
}
function isRed(source, { rounds, failureLimit }) {
	const own = rounds.flat().filter((judgement) => judgement.source === source);
	return judgeBaseline$1(own, failureLimit).state === "red";
}
function sendAll(probes, signal) {
	return Promise.all(probes.map(async ({ source, send }) => ({
		...await send(signal),
		source
	})));
}
/** One judgement for all places: the worst verdict, said with its place where there are several, and the longest time. */
function worst(judgements) {
	const { source, ...judgement } = judgements.reduce((a, b) => badness(b) > badness(a) ? b : a);
	const ms = Math.max(...judgements.map((each) => each.ms));
	return {
		...judgement,
		ms,
		why: judgements.length === 1 ? judgement.why : `from the ${source}: ${judgement.why}`
	};
}
function badness({ verdict }) {
	return [
		"good",
		"inconclusive",
		"bad"
	].indexOf(verdict);
}

// src/health/stream.ts
/** Probes under way at once; past it a due probe is not sent but counted as stalled. */
const OUTSTANDING_LIMIT = 40;
/**
* The measuring stream: open loop, so that probe i is due at its time whatever happened before, and its latency counts
* from then.
*/
function startStream({ send, everyMs = 50, stallMs = 250, redBefore = false }) {
	const shots = [];
	const outstanding = /* @__PURE__ */ new Set();
	const given = new AbortController();
	const start = {
		now: node_perf_hooks.performance.now(),
		wall: Date.now()
	};
	let every = everyMs;
	let due = start.now;
	let stopped;
	let timer;
	fireAllDue();
	function fireAllDue() {
		for (; due <= node_perf_hooks.performance.now(); due += every) fire(due);
		timer = setTimeout(fireAllDue, Math.max(0, due - node_perf_hooks.performance.now()));
	}
	function fire(at) {
		const shot = {
			due: at,
			verdict: "skipped"
		};
		shots.push(shot);
		if (outstanding.size >= OUTSTANDING_LIMIT) return;
		shot.verdict = "outstanding";
		const answer = answered(shot, send(given.signal)).finally(() => outstanding.delete(answer));
		outstanding.add(answer);
	}
	async function finish(graceMs, blind) {
		clearTimeout(timer);
		await within(Promise.all(outstanding), graceMs);
		const end = node_perf_hooks.performance.now();
		const numbers = streamNumbers(shots, {
			stallMs,
			end,
			redBefore,
			wall: start.wall - start.now,
			blind
		});
		given.abort(/* @__PURE__ */ new Error("the measuring ended"));
		return numbers;
	}
	return {
		slowDown: (next) => {
			due += next - every;
			every = next;
			if (stopped !== void 0) return;
			clearTimeout(timer);
			timer = setTimeout(fireAllDue, Math.max(0, due - node_perf_hooks.performance.now()));
		},
		stop: ({ graceMs = 1e3, blind = [] } = {}) => stopped ??= finish(graceMs, blind)
	};
}
async function answered(shot, answer) {
	const { verdict, why } = await answer.catch((error) => ({
		verdict: "inconclusive",
		why: String(error)
	}));
	shot.done = node_perf_hooks.performance.now();
	shot.verdict = verdict;
	shot.why = why;
}
async function within(work, ms) {
	let timer;
	const limit = new Promise((resolve) => timer = setTimeout(resolve, ms));
	await Promise.race([work, limit]);
	clearTimeout(timer);
}

// src/health/attribution.ts
/** What the target's facts have to say of the address that is probed; nothing where nothing is probed. */
function probeToLookFor(health, target) {
	if (health === void 0 || health === "none") return void 0;
	const { host, port } = endOf(probeUrl(health.url, target));
	return `${port} ${health.from === "runner" && target.kind === "ssh" ? "*" : host}`;
}
/**
* Who answers a probe that tries `addresses` one after another: the first at which somebody does. Without any,
* `elsewhere`: nobody knows where it ends.
*/
function ownerOf(addresses, probed) {
	const owners = addresses.map((address) => ownerAt(address, probed));
	return owners.find((owner) => owner !== "nobody") ?? (owners.length === 0 ? "elsewhere" : "nobody");
}
/** As the kernel looks a listener up: one of that very address, else one of all, and IPv4 first (inet_lookup_listener). */
function ownerAt(address, { sockets, local, ours }) {
	const plain = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
	if (!isLocal(plain, local)) return "elsewhere";
	const [found = []] = lookups(plain).map(({ kind, words }) => sockets.filter((one) => one.kind === kind && isAt(one, words))).filter((each) => each.length > 0);
	if (found.length === 0) return "nobody";
	return found.every(({ inodes }) => inodes.every((inode) => ours.has(inode))) ? "ours" : "others";
}
function lookups(address) {
	const any6 = {
		kind: "tcp6",
		words: [
			"00000000",
			"00000000",
			"00000000",
			"00000000"
		]
	};
	if (!(0, node_net.isIPv4)(address)) return [{
		kind: "tcp6",
		words: wordsOf(address)
	}, any6];
	const [word = ""] = wordsOf(address);
	return [
		{
			kind: "tcp",
			words: [word]
		},
		{
			kind: "tcp6",
			words: [
				"00000000",
				"00000000",
				"0000FFFF",
				word
			]
		},
		{
			kind: "tcp",
			words: ["00000000"]
		},
		any6
	];
}
/** The address in words of 32 bits, hexadecimal, in the order of the network. */
function wordsOf(address) {
	if ((0, node_net.isIPv4)(address)) return [address.split(".").map((part) => Number(part).toString(16).padStart(2, "0")).join("").toUpperCase()];
	return expanded(address).match(/.{8}/g) ?? [];
}
/** 32 hexadecimal digits. */
function expanded(address) {
	if (/^[0-9a-f]{32}$/i.test(address)) return address.toUpperCase();
	const [head = "", tail] = address.split("%")[0]?.split("::") ?? [];
	const groups = (text) => text === "" ? [] : text.split(":").flatMap(groupOf);
	const [left, right] = [groups(head), groups(tail ?? "")];
	const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0000");
	return [
		...left,
		...tail === void 0 ? [] : zeros,
		...right
	].join("").toUpperCase();
}
function groupOf(group) {
	return (0, node_net.isIPv4)(group) ? wordsOf(group)[0]?.match(/.{4}/g) ?? [] : [group.padStart(4, "0")];
}
/** The kernel writes each word as its own machine holds it; which machine that is matters little, so both are taken. */
function isAt({ address }, words) {
	return address === words.join("") || address === words.map(swapped).join("");
}
function swapped(word) {
	return (word.match(/../g) ?? []).toReversed().join("");
}
function isLocal(address, local) {
	if ((0, node_net.isIPv4)(address)) return address.startsWith("127.") || local.includes(address);
	const whole = expanded(address);
	return whole === expanded("::1") || local.some((one) => !(0, node_net.isIPv4)(one) && expanded(one) === whole);
}

// src/host/attributing.ts
/**
* Whether a good answer is this nginx's word: the listening socket at the probed address, seen from the network in which the
* probe ends, must be one that the old master holds. (The new workers accept on each of these, or are not ready.)
*/
async function attribution(run, master) {
	const { health } = run.config;
	if (health === void 0 || health === "none") return void 0;
	const url = probeUrl(health.url, run.target);
	const sources = health.from === "both" ? ["target", "runner"] : [health.from];
	for (const source of sources) {
		const owner = ownerSeen(await addressesOf(url, {
			source,
			target: run.target,
			master
		}), {
			source,
			master
		});
		if (owner === "ours") continue;
		if (owner === "another network") return otherNetwork(url, master);
		return notAttributed(url, {
			owner,
			master
		});
	}
}
/** Through the connection a probe ends in the helper's network, unless the address is none of that one's: then it may be the master's. */
function ownerSeen(addresses, { source, master }) {
	const ours = new Set(master.listeners.map((line) => line.split(" ")[0] ?? ""));
	const here = ownerOf(addresses, {
		...master.probed.here,
		ours
	});
	if (here === "ours" || master.sameNetwork) return here;
	if (source === "target" && here !== "elsewhere") return "another network";
	const routed = addresses.filter((address) => !isLoopback(address));
	return ownerOf(routed, {
		...master.probed.there,
		ours
	});
}
/** In the order in which they are tried; none where they cannot be told, or are those of the runner itself. */
async function addressesOf(url, { source, target, master }) {
	const { host } = endOf(url);
	const remote = source === "runner" && target.kind === "ssh";
	const all = (0, node_net.isIP)(host) > 0 ? [host] : remote ? await resolved(host) : master.probed.resolved;
	const known = all.length === 0 && host === "localhost" ? ["127.0.0.1", "::1"] : all;
	return remote ? known.filter((address) => !isLoopback(address)) : known;
}
function isLoopback(address) {
	return /^(?:127\.|::1$)/.test(address);
}
async function resolved(host) {
	return (await (0, node_dns_promises.lookup)(host, {
		all: true,
		order: "verbatim"
	}).catch(() => [])).map(({ address }) => address);
}
function otherNetwork(url, { process }) {
	return {
		code: "network-namespace",
		message: `the master ${process.pid} serves in a network namespace of its own, and a probe of ${url.href} through the connection ends in another one: whoever answers there, it is not this nginx`,
		fix: "Set `health-from: runner` with a URL that leads to it, or `health-url: none`."
	};
}
function notAttributed(url, { owner, master }) {
	return {
		code: "not-attributed",
		message: `probes of ${url.href} are not attributed to this nginx: ${WHOSE[owner]}, so a good answer proves nothing of master ${master.process.pid}`,
		fix: "Probe an address and port on which this nginx itself listens."
	};
}
const WHOSE = {
	others: "a socket that its master does not hold listens at that address",
	nobody: "no socket listens at that address on the target",
	elsewhere: "that address is not known as one of the target’s own"
};

// src/host/probing.ts
function startBaseline(run) {
	const probes = probesOf(run);
	if (probes === null) return null;
	const answers = probes.baseline(run.cancel);
	answers.catch(() => {});
	return {
		probes,
		answers
	};
}
/** Red before any change proves nothing: refused, or allowed and then only what turns red counts. */
async function judgeBaseline(run, early) {
	if (early === null) return null;
	return phase(run, "preflight", async () => {
		const { probes } = early;
		const baseline = await early.answers;
		const rules = rulesOf(run);
		const found = [];
		const foreign = await attribution(run, run.facts.master);
		if (foreign !== void 0) found.push(foreign);
		if (baseline.denied) found.push(forwardingDenied());
		else if (baseline.state !== "green") found.push(redBefore(baseline.why));
		settle(run, joined(...found.map((finding) => judgeFinding(finding, rules))));
		return {
			probes: baseline.state === "green" ? probes : probes.afterAllowing(baseline),
			baselineP99Ms: baseline.p99Ms,
			stream: void 0
		};
	});
}
function probesOf({ config, target, agent }) {
	const { health } = config;
	if (health === void 0 || health === "none") return null;
	return healthProbes(health, {
		target,
		connection: agent.link
	});
}
/** For a held upgrade, which has no baseline: throws Refused where the probes would ask somebody else. */
async function settleAttribution(run, master) {
	const foreign = master === null ? void 0 : await attribution(run, master);
	if (foreign !== void 0) settle(run, judgeFinding(foreign, rulesOf(run)));
}
/** One fresh connection every 50 ms, from before USR2 on. */
function startMeasuring(probing) {
	if (probing === null) return;
	const { probes } = probing;
	probing.stream = startStream({
		send: (signal) => probes.sendOne(signal),
		redBefore: probes.redBefore
	});
}
/** No old worker accepts any more: from here on one probe every `health-interval`. */
function slowDown(run, probing) {
	const { health } = run.config;
	if (health !== void 0 && health !== "none") probing?.stream?.slowDown(health.interval);
}
/** Ends the stream and writes its numbers into the result. */
async function stopMeasuring(run, probing) {
	if (probing?.stream === void 0) return;
	const { evidence, inconclusive, stalled: _, ...numbers } = await probing.stream.stop({ blind: run.agent.outages() });
	probing.stream = void 0;
	run.result.probe = {
		...numbers,
		baselineP99Ms: probing.baselineP99Ms
	};
	if (inconclusive > 0) run.result.notes.push(`${inconclusive} probes could not be judged: our own connection failed.`);
	if (evidence.length > 0) evidenceOf(run.result).probes.push(...evidence);
}
function forwardingDenied() {
	return {
		code: "forwarding-denied",
		message: "the SSH server does not allow forwarding, so the health URL cannot be asked as the target sees it",
		fix: "Set `health-from: runner`, or allow it in sshd_config: AllowTcpForwarding local."
	};
}
function redBefore(why) {
	return {
		code: "health-red-before",
		message: `the health URL is red before any change, so it could prove nothing afterwards. ${why}`,
		fix: "Repair the service or the health inputs first. Where that is accepted, only what turns red counts."
	};
}

// src/health/clock.ts
const realClock = {
	now: () => node_perf_hooks.performance.now(),
	wall: () => Date.now(),
	sleep
};
function sleep(ms, signal) {
	return new Promise((resolve) => {
		if (signal.aborted) return resolve();
		const end = () => {
			clearTimeout(timer);
			signal.removeEventListener("abort", end);
			resolve();
		};
		const timer = setTimeout(end, ms);
		signal.addEventListener("abort", end, { once: true });
	});
}

// src/health/bake.ts
/**
* Probes until the verdict stands. Probes are due on a fixed grid from the start; one that is still under way when the
* next is due swallows it, so no verdict is reached over the head of an unanswered probe.
*/
async function bake$1({ probe, rules, watch, clock = realClock }) {
	const start = {
		now: clock.now(),
		wall: clock.wall()
	};
	const elapsed = () => clock.now() - start.now;
	const samples = [];
	const result = (state, why) => {
		return {
			state,
			why,
			evidence: probeLines(samples, start.wall),
			samples
		};
	};
	let due = 0;
	for (;;) {
		if (watch.signal.aborted) return result("stopped", require_errors.messageOf(watch.signal.reason));
		const now = elapsed();
		const decision = decide(samples, {
			rules,
			now
		});
		if (decision.state !== "pending") return result(decision.state, decision.why);
		if (now < due) await clock.sleep(nextLook(rules, {
			now,
			due
		}) - now, watch.signal);
		else {
			samples.push({
				...await probe(watch.signal),
				at: elapsed()
			});
			due = (Math.floor(elapsed() / rules.interval) + 1) * rules.interval;
		}
	}
}
/** The last answers as lines for people; `wall`: when the samples' time began, since the epoch. */
function probeLines(samples, wall) {
	return samples.slice(-10).map(({ at, verdict, ms, why }) => {
		return `${new Date(wall + at).toISOString()} ${verdict} after ${ms.toFixed(1)} ms: ${why}`;
	});
}
function nextLook(rules, { now, due }) {
	const ends = [rules.bakeTime, firstGoodWithin(rules)].filter((end) => end > now);
	return Math.min(due, ...ends);
}

// src/host/error-log.ts
/** `2026/11/26 10:15:00 [alert] 4711#4711: *12 text`; ngx_log.c, ngx_log_error_core. */
const LINE$1 = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[(emerg|alert|crit)\] (\d+)#\d+: (?:\*\d+ )?(.*)$/;
/** Serious by level alone. What nginx goes on serving with, and would have said whatever its version. */
const HARMLESS = [
	/^SSL_\w+\(\) failed/,
	/^ignoring stale global SSL error/,
	/^(?:l?stat|openat)\(\) "[^"]*" failed .*, client: /,
	/^pcre2?_\w+\(\) failed/,
	/^could not allocate (?:new session in SSL session shared cache|node)/,
	/^ngx_slab_alloc\(\) failed: no memory/,
	/^gzip filter failed to use preallocated memory/,
	/^unlink\(\) ".*" failed \(2:/,
	/^open socket #\d+ left in connection/,
	/^aborting$/,
	/^(?:send|recv)msg\(\) failed/,
	/^kill\(\d+, \d+\) failed \(3:/,
	/^(?:setpriority|setrlimit|sched_setaffinity|prctl|io_setup|eventfd|initgroups)\(.*failed/,
	/ failed(?: \(\d+: [^)]*\))?, ignored/,
	/^detected .*LuaJIT/,
	/^connect\(\) (?:to .* )?failed \((?:2|99|101|110|111|113):/
];
/** Lines that the new generation wrote, that mean trouble, and of a kind that was not there before. */
function seriousLines({ lines, before, master, workers }) {
	const known = new Set(before.map(kindOf$1));
	return lines.filter((line) => {
		const [, level, pid, text = ""] = LINE$1.exec(line) ?? [];
		return (Number(pid) === master ? level !== "emerg" : workers.has(Number(pid))) && !HARMLESS.some((harmless) => harmless.test(text)) && !known.has(kindOf$1(line));
	});
}
/** The line without what differs from one time to the next: when, who, for whom, names, addresses, numbers. */
function kindOf$1(line) {
	const [, level = "", , text = line] = LINE$1.exec(line) ?? [];
	return `${level} ${text.replace(/, (?:client|server|upstream|responder|peer): .*$/, "").replaceAll(/"[^"]*"/g, "\"\"").replaceAll(/\b(?:0x[0-9A-F]+|[0-9A-F]*\d[0-9A-F]*)\b/gi, "#")}`;
}
/** Rejects as `error-log` where the new generation wrote serious lines; they become evidence. */
function judgeErrorLog({ fields, verb }, result) {
	if (!Array.isArray(fields["errorLog"]) || fields["errorLog"].length === 0) return;
	const read = fieldsOf(fields, verb);
	const [master = 0, ...workers] = read.text("newPids").split(" ").map(Number);
	const [first, ...others] = seriousLines({
		lines: read.lines("errorLog"),
		before: read.lines("errorsBefore"),
		master,
		workers: new Set(workers)
	});
	if (first === void 0) return;
	evidenceOf(result).errorLog.push(first, ...others);
	const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
	throw new require_errors.UpgradeError("error-log", `the new generation wrote to its error log: ${first}${more}`);
}

// src/host/switching.ts
/** How often the new generation is looked at while it serves; each look is also the run's sign of life. */
const LOOK_EVERY = 1e3;
/** A look takes a tenth of this; whoever waits so long for it waits for the link. */
const SILENT_AFTER = 2e3;
/**
* Swap, USR2, the old name back on disk, new workers accepting. Where nothing is to be watched before WINCH, that is
* asked for in the same breath (the target does it only for a generation that is ready): its answer is what is returned.
*/
async function begin(run) {
	const { readyTimeout: waits, canaryTime } = run.config.switch;
	let swapped;
	const ready = new Promise((resolve) => swapped = resolve);
	const asked = orCancelled(run.cancel, () => run.agent.ask("begin", {
		...ours(run),
		waits,
		onEvent: (event) => event === "exec" && swapped?.()
	}));
	const retiring = canaryTime === 0 && !run.cancel.aborted ? [run.agent.ask("retire", {
		...ours(run),
		waits
	})] : [];
	for (const answer of [asked, ...retiring]) answer.catch(() => {});
	await phase(run, "swap", () => Promise.race([ready, asked]));
	await phase(run, "ready", async () => {
		const answer = mustSucceed(await asked, run.result);
		run.result.newMaster = processOf(fieldsOf(answer.fields, "begin").object("newMaster"));
	});
	return retiring;
}
/** Both generations serve together, watched. */
async function canary(run) {
	const { canaryTime } = run.config.switch;
	if (canaryTime > 0) await phase(run, "canary", () => watchFor(run, canaryTime));
}
/** WINCH, and no old worker accepts any more. */
async function retire(run, [asked]) {
	await phase(run, "retire", async () => {
		const waits = run.config.switch.readyTimeout;
		const answer = orCancelled(run.cancel, () => asked ?? run.agent.ask("retire", {
			...ours(run),
			waits
		}));
		judgeErrorLog(mustSucceed(await answer, run.result), run.result);
	});
}
/** What follows is meant for this very upgrade. */
function ours({ agent }) {
	return { fields: { nonce: agent.nonce() } };
}
/** The new generation serves alone, watched and probed, until it is proven. */
async function bake(run, probing) {
	const { health, switch: settings } = run.config;
	const { bakeTime } = settings;
	if (probing === null || health === void 0 || health === "none") {
		if (bakeTime > 0) await phase(run, "bake", () => watchFor(run, bakeTime));
		return;
	}
	await phase(run, "bake", () => bakeProbed(run, {
		probing,
		health
	}));
}
async function bakeProbed(run, { probing, health }) {
	const stop = new AbortController();
	const looks = lookUntil(run, stop.signal).catch((error) => stop.abort(error));
	try {
		const result = await bake$1({
			probe: (signal) => overLiveLink(run, () => probing.probes.send(signal)),
			rules: {
				...health,
				bakeTime: run.config.switch.bakeTime,
				redBefore: probing.probes.redBefore
			},
			watch: { signal: AbortSignal.any([stop.signal, run.cancel]) }
		});
		throwIfCancelled(run.cancel);
		if (stop.signal.aborted) throw stop.signal.reason;
		if (result.state === "healthy") return;
		evidenceOf(run.result).probes.push(...result.evidence);
		throw new require_errors.UpgradeError(result.state === "unhealthy" ? "unhealthy" : "inconclusive", result.why);
	} finally {
		stop.abort();
		await looks;
	}
}
/**
* A probe through a link that is gone or silent says nothing about the service. So whatever is not good is believed
* only once the target has answered over the same link; over a new one the probe is sent again.
*/
async function overLiveLink(run, send) {
	for (;;) {
		const links = run.agent.outages().length;
		const from = performance.now();
		const judgement = await send();
		if (judgement.verdict === "good" || judgement.cause === "stopped") return judgement;
		const asked = performance.now();
		await orCancelled(run.cancel, () => look(run));
		const to = performance.now();
		if (to - asked > SILENT_AFTER) run.agent.noteSilence({
			from,
			to
		});
		if (run.agent.outages().length === links) return judgement;
	}
}
async function watchFor(run, time) {
	await lookUntil(run, AbortSignal.any([AbortSignal.timeout(time), run.cancel]));
	throwIfCancelled(run.cancel);
	await look(run);
}
/** Looks every second until `end`; rejects with what it saw. The first look comes after the first second. */
async function lookUntil(run, end) {
	for (;;) {
		await (0, node_timers_promises.setTimeout)(LOOK_EVERY, void 0, { signal: end }).catch(() => {});
		if (end.aborted) return;
		await look(run);
	}
}
async function look(run) {
	const answer = mustSucceed(await run.agent.ask("look"), run.result);
	if (fieldsOf(answer.fields, "look").flag("reparked")) run.result.notes.push("Somebody reloaded the old master while it was parked: it was told to stop again.");
	judgeErrorLog(answer, run.result);
}

// src/obtain/tools.ts
/** What a program gets of the job's environment: no token and no secret is among it. */
function cleanEnvironment() {
	return {
		PATH: process.env["PATH"] ?? "/usr/bin:/bin",
		LC_ALL: "C.UTF-8",
		HOME: "/nonexistent"
	};
}
/** Packages that hold the programs that we call, by the name of the program. */
const PACKAGES = {
	"dpkg-deb": "dpkg",
	gpgv: "gpgv (Debian, Ubuntu), gnupg2 (RHEL, Fedora), gpg2 (SUSE), gnupg (Alpine)",
	xz: "xz-utils (Debian, Ubuntu), xz"
};
/** Runs a program to its end. Resolves to what it printed; rejects where it fails, Refused where it is not installed. */
async function runTool([program = "", ...args]) {
	const { getExecOutput } = await Promise.resolve().then(() => require("./exec.cjs")).then((n) => n.exec_exports);
	try {
		const { stdout } = await getExecOutput(quoted(program), args, {
			silent: true,
			env: cleanEnvironment()
		});
		return stdout;
	} catch (error) {
		throw missing(program, error) ?? error;
	}
}
/** The bytes that a program writes, at most `limit`. */
async function streamTool([program = "", ...args], { limit }) {
	const { exec } = await Promise.resolve().then(() => require("./exec.cjs")).then((n) => n.exec_exports);
	const pieces = [];
	let size = 0;
	const stdout = (piece) => {
		size += piece.length;
		if (size <= limit) pieces.push(piece);
	};
	try {
		await exec(quoted(program), args, {
			silent: true,
			env: cleanEnvironment(),
			listeners: { stdout }
		});
	} catch (error) {
		throw missing(program, error) ?? error;
	}
	if (size > limit) throw new Error(`${program} wrote ${size} bytes, expected at most ${limit}`);
	return Buffer.concat(pieces);
}
/** @actions/exec takes the program for a command line, and splits it at blanks (argStringToArray). */
function quoted(program) {
	return `"${program.replaceAll("\"", String.raw`\"`)}"`;
}
function missing(program, error) {
	if (!/Unable to locate executable/.test(require_errors.messageOf(error))) return void 0;
	const where = PACKAGES[program] ?? program;
	return refuse("build-dependency", `this machine has no ${program}, which is needed here`, `Install it: ${where}.`);
}

// src/binary/elf-needs.ts
const NOTHING = {
	libraries: [],
	rpath: false
};
/** Tags of the dynamic section (elf(5)). */
const TAG = {
	end: 0,
	needed: 1,
	strings: 5,
	rpath: 15,
	runpath: 29,
	versions: 1879048190,
	versionCount: 1879048191
};
/** Reads the dynamic section of a whole ELF file that `readElf` accepts; of a static or damaged one, nothing. */
function readNeeds(file) {
	try {
		return dynamicNeeds(file, layoutOf(file));
	} catch (error) {
		if (error instanceof RangeError) return NOTHING;
		throw error;
	}
}
function dynamicNeeds(file, layout) {
	const segments = segmentsOf(file, layout) ?? [];
	const dynamic = segments.find(({ type }) => type === SEGMENT.dynamic);
	if (dynamic === void 0) return NOTHING;
	const entries = dynamicEntries(dynamic, layout);
	const valueOf = (tag) => entries.find((entry) => entry.tag === tag)?.value ?? 0;
	const strings = offsetOf(valueOf(TAG.strings), segments);
	const textAt = (index) => cString(file, strings + index);
	const libraries = entries.filter(({ tag }) => tag === TAG.needed).map(({ value }) => textAt(value));
	const count = valueOf(TAG.versionCount);
	const glibc = neededVersions({
		first: count === 0 ? 0 : offsetOf(valueOf(TAG.versions), segments),
		count,
		layout
	}).map(textAt).flatMap((name) => /^GLIBC_(\d+(?:\.\d+)*)$/.exec(name)?.[1] ?? []).toSorted(compareVersions).at(-1);
	return {
		libraries,
		rpath: entries.some(({ tag }) => tag === TAG.rpath || tag === TAG.runpath),
		...glibc === void 0 ? {} : { glibc }
	};
}
function dynamicEntries({ offset, size }, { wide, word }) {
	const width = wide ? 8 : 4;
	const entries = [];
	for (let at = offset; at < offset + size; at += 2 * width) {
		const tag = word(at);
		if (tag === TAG.end) break;
		entries.push({
			tag,
			value: word(at + width)
		});
	}
	return entries;
}
const MOST_VERSIONS = 4096;
/** String indices of all version names that are asked for (Elf64_Verneed with its Elf64_Vernaux; same in 32 bits). */
function neededVersions({ first, count, layout }) {
	const { u16, u32 } = layout;
	const names = [];
	for (let record = first, left = count; left > 0; left -= 1) {
		let auxiliary = record + u32(record + 8);
		for (let more = u16(record + 2); more > 0; more -= 1) {
			names.push(u32(auxiliary + 8));
			auxiliary += u32(auxiliary + 12);
		}
		if (names.length > MOST_VERSIONS) throw new RangeError("more versions than any program needs");
		const next = u32(record + 12);
		if (next === 0) break;
		record += next;
	}
	return names;
}
/** Where in the file the byte lies that is loaded at `address`. */
function offsetOf(address, segments) {
	const home = segments.find((segment) => segment.type === SEGMENT.load && address >= segment.address && address < segment.address + segment.size);
	if (home === void 0) throw new RangeError(`no segment holds the address ${address}`);
	return home.offset + address - home.address;
}
function cString(file, start) {
	const end = file.indexOf(0, start);
	if (end < 0) throw new RangeError("a name without an end");
	return file.toString("latin1", start, end);
}

// src/binary/new-binary.ts
/** Reads and identifies the file. Rejects with the file system's error; an ELF file is taken for granted (inputs). */
async function loadBinary(path) {
	return identify({
		path,
		nginx: await (0, node_fs_promises.readFile)(path),
		modules: []
	}, () => askForBuild(path));
}
/** Identifies what was read and found to be right: these bytes are run, whatever lies at the path by now. */
async function newBinary(file) {
	return identify(file, async () => {
		const directory = await (0, node_fs_promises.mkdtemp)((0, node_path.join)(process.env["RUNNER_TEMP"] || (0, node_os.tmpdir)(), "nginx-hot-upgrade-run-"));
		try {
			await (0, node_fs_promises.writeFile)((0, node_path.join)(directory, "nginx"), file.nginx, { mode: 448 });
			return await askForBuild((0, node_path.join)(directory, "nginx"));
		} finally {
			await (0, node_fs_promises.rm)(directory, {
				recursive: true,
				force: true
			});
		}
	});
}
async function identify(file, ask) {
	const { path, nginx: bytes } = file;
	const elf = readElf(bytes);
	const said = typeof elf !== "string" && elf.machine !== (0, node_os.machine)() ? "" : await ask();
	const known = typeof elf === "string" ? {} : {
		needs: readNeeds(bytes),
		...loaderOf(elf)
	};
	return {
		path,
		...digestsOf(bytes),
		size: bytes.length,
		...known,
		build: parseBuildInfo(said),
		bytes,
		modules: file.modules.map((module) => ({
			...module,
			...digestsOf(module.bytes)
		}))
	};
}
function digestsOf(bytes) {
	const digest = (name) => (0, node_crypto.createHash)(name).update(bytes).digest("hex");
	return {
		sha256: digest("sha256"),
		blake2b: digest("blake2b512")
	};
}
function loaderOf({ machine: named, interpreter }) {
	return {
		...named.startsWith("machine ") ? {} : { machine: named },
		...interpreter === void 0 ? {} : { interpreter }
	};
}
const pack = (0, node_util.promisify)(node_zlib.gzip);
/** The bytes as they travel. What was packed once is kept: many hosts get the same. */
function encoded({ bytes }, encoding) {
	if (encoding === "none") return Promise.resolve(bytes);
	const known = packed.get(bytes) ?? pack(bytes, { level: 1 });
	packed.set(bytes, known);
	return known;
}
const packed = /* @__PURE__ */ new WeakMap();
/** `nginx -V` prints to stderr. A file that does not run here is judged on the target. */
async function askForBuild(path) {
	const { getExecOutput } = await Promise.resolve().then(() => require("./exec.cjs")).then((n) => n.exec_exports);
	try {
		const { stdout, stderr, exitCode } = await getExecOutput(quoted(path), ["-V"], {
			silent: true,
			ignoreReturnCode: true,
			env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" }
		});
		return exitCode === 0 ? stdout + stderr : "";
	} catch {
		return "";
	}
}

// src/host/preflight/config-test.ts
/**
* What `nginx -t` of the new binary said, by the code that it comes down to (ngx_add_module, ngx_conf_handler). `lost`:
* whether it lacks anything that the running one has; without that an unknown directive is nobody's.
*/
function testFailed(lines, { lost }) {
	const text = decisive(lines);
	const said = text.slice(0, 600);
	if (/is not binary compatible|version \d+ instead of|dlopen\(\)|is already loaded/.test(text)) return {
		code: "module-signature",
		message: `the new binary cannot load a dynamic module that the configuration loads: ${said}`,
		fix: "Build the modules with the binary: `configure-args: inherit`, with the sources of third-party ones in `add-modules`."
	};
	if (lost && /unknown directive "|parameter requires ngx_\w+_module|requires (?:SSL support|PCRE library)/.test(text)) return {
		code: "module-lost",
		message: `the new binary is without a module that the configuration uses: ${said}`,
		fix: "Build it with the arguments of the running one (`configure-args: inherit`), or remove the directive first."
	};
	return {
		code: "config-test-failed",
		message: `the new binary refuses the host's configuration: ${said}`,
		fix: "Correct the configuration, or build the binary with the modules and paths that it uses."
	};
}
/** Warnings may come by the hundred before the one line that counts. */
function decisive(lines) {
	const spoken = lines.filter((line) => line.trim() !== "");
	const serious = spoken.filter((line) => /\[(?:emerg|alert|crit)\]/.test(line));
	return (serious.length > 0 ? serious : spoken).join(" | ") || "it said nothing";
}

// src/host/rehearsing.ts
/** How the stub ends where the new modules cannot be put at their paths for it alone. `nginx -t` ends with 0 or 1. */
const NO_ROOM = 125;
/**
* The running master executes a stub, which runs the staged binary's `-t` under the master's own conditions. No worker
* notices; the pid file has its other name meanwhile. Throws Refused, with everything as it was.
*/
async function rehearse(run, build) {
	const fields = { nonce: run.agent.nonce() };
	const waits = run.config.switch.readyTimeout * 2 + 15e3;
	const asked = orCancelled(run.cancel, () => run.agent.ask("rehearse", {
		fields,
		waits
	}));
	const answer = mustSucceed(await asked, run.result);
	const read = fieldsOf(answer.fields, "rehearse");
	const exit = read.numberOrNull("exit");
	if (read.flag("poisoned")) run.result.notes.push(poisonedNote(run.facts.master.process.pid));
	if (exit === null) settle(run, judgeFinding(notExecuted(run), rulesOf(run)));
	else if (exit === NO_ROOM) run.result.notes.push("Not rehearsed: the master can have no mount namespace in which the new modules lie at their paths.");
	else if (exit !== 0) {
		noteLeft(run, read.lines("left"));
		settleTest(run, {
			build,
			lines: read.lines("said")
		});
	} else run.result.notes.push("Rehearsed: the running master can execute the new binary, which accepts the configuration.");
}
/** What a test made and is not empty; an upgrade that goes on needs no word of it, since the new master makes the same. */
function noteLeft(run, paths) {
	if (paths.length === 0) return;
	run.result.notes.push(`\`nginx -t\` made what was not there before and was not removed again, since it was written to or others lead there: ${paths.join(", ")}.`);
}
/** Refuses for what `nginx -t` of the new binary said on the target. */
function settleTest(run, { build, lines }) {
	const lost = lostFeatures(parseBuildInfo(run.facts.master.build).arguments, build.arguments).length > 0;
	settle(run, judgeFinding(testFailed(lines, { lost }), rulesOf(run)));
}
function notExecuted({ facts: { master }, result }) {
	const said = result.evidence?.errorLog.at(-1)?.slice(0, 300) ?? "its error log says nothing";
	return {
		code: "rehearsal-failed",
		message: `the running master ${master.process.pid} could not execute a script at ${master.path}, or it did not end in time: ${said}`,
		fix: "Remove what hinders it, as it would hinder the new binary; where that is only a policy against scripts, leave `rehearse` out."
	};
}

// src/host/staging.ts
/** Above this, the link is no local network and gzip is faster than sending plain bytes. */
const COMPRESS_FROM_MS = 4;
/**
* Lock, books and guard on the target, then the file, then its own word on the host. From here on the target cleans up
* after itself. Throws Refused with nothing left behind.
*/
async function stage(run, file) {
	return phase(run, "stage", async () => {
		const { prepared, sent, checked } = await askAtOnce(run, file);
		mustSucceed(await orCancelled(run.cancel, () => prepared), run.result);
		try {
			for (const arrival of sent) mustSucceed(await orCancelled(run.cancel, () => arrival), run.result);
			const build = await judge(run, {
				file,
				answer: mustSucceed(await orCancelled(run.cancel, () => checked), run.result)
			});
			if (run.config.switch.rehearse && file.kind === "upgrade") await rehearse(run, build);
			return build;
		} catch (error) {
			if (!(error instanceof Cancelled)) await unstage(run);
			throw error;
		}
	});
}
/** All in one round trip: where the first is refused, the target refuses what follows, too. */
async function askAtOnce(run, file) {
	const { agent } = run;
	const uploads = await uploadsOf(run, file);
	const fields = preparation(run, file);
	const { nonce } = fields;
	const prepared = agent.ask("prepare", { fields });
	const sent = uploads.map((upload) => send(run, upload));
	const test = canTestAtOnce(run, file) ? {
		test: "yes",
		flags: pathFlags(file.build)
	} : { test: "no" };
	const checked = agent.ask("check", { fields: {
		nonce,
		...test
	} });
	for (const answer of [
		prepared,
		...sent,
		checked
	]) answer.catch(() => {});
	return {
		prepared,
		sent,
		checked
	};
}
/** Of what is known of the file: where it opens and makes things at its start, unless the configuration says otherwise. */
function pathFlags({ arguments: all }) {
	return ["--", ...all.filter((word) => /^--(?:error-log|http-log|http-[a-z-]+-temp)-path=\S+$/.test(word))].join(" ");
}
/** Nothing of ours stays on the target. */
async function unstage(run) {
	await run.agent.ask("unstage", { fields: { nonce: run.agent.nonce() } }).catch(() => {});
}
function whoAmI(env = process.env) {
	const { GITHUB_ACTOR, GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID } = env;
	if (GITHUB_RUN_ID) {
		const run = `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`;
		return {
			who: GITHUB_ACTOR ?? "unknown",
			run
		};
	}
	return {
		who: `${(0, node_os.userInfo)().username}@${(0, node_os.hostname)()}`,
		run: `process ${process.pid} on ${(0, node_os.hostname)()}`
	};
}
function preparation(run, file) {
	const { canaryTime: _, ...times } = run.config.switch;
	const tenths = (ms) => Math.max(1, Math.ceil(ms / 100));
	const workers = wantedWorkers(run.facts.master, run.facts);
	return {
		nonce: (0, node_crypto.randomBytes)(6).toString("hex"),
		kind: file.kind,
		sha256: file.sha256,
		blake: file.kind === "reverse" ? "" : run.binary?.blake2b ?? "",
		old_version: parseBuildInfo(run.facts.master.build).version,
		new_version: file.build.version,
		hand: run.facts.master.binaryPlace,
		modules: replacedModules(run, file).map(({ path }) => `${path}|`).join(""),
		need: workers,
		cover: run.facts.master.listeners.length === 0 ? 0 : run.facts.master.acceptMutex === "on" ? 1 : workers,
		confirm: tenths(times.confirmTimeout),
		ready: tenths(times.readyTimeout),
		drain: tenths(times.drainTimeout),
		hold: tenths(times.holdTimeout),
		keep: times.keep,
		repair: run.facts.master.pidText === null && file.kind !== "plan" ? "yes" : "no"
	};
}
/** None where the file lies on the target already. */
async function uploadsOf(run, file) {
	const { binary, agent } = run;
	if (file.kind === "reverse" || binary === void 0) return [];
	const encoding = agent.link.roundTripMs >= COMPRESS_FROM_MS ? "gzip" : "none";
	const packed = async (part, more) => {
		return {
			encoding,
			bytes: await encoded(part, encoding),
			whole: part.bytes.length,
			more
		};
	};
	const modules = replacedModules(run, file).map(({ path, module }) => packed(module, {
		module: path,
		sha256: module.sha256,
		blake: module.blake2b
	}));
	return Promise.all([packed(binary, {}), ...modules]);
}
/** Dynamic modules that the configuration loads and that were built with the new binary: they go with it as one set. */
function replacedModules({ binary, facts }, file) {
	if (file.kind === "reverse" || binary === void 0) return [];
	return facts.master.modules.flatMap((path) => {
		const module = binary.modules.find(({ name }) => name === (0, node_path.basename)(path));
		return module === void 0 ? [] : [{
			path,
			module
		}];
	});
}
function send({ agent }, { encoding, bytes, whole, more }) {
	return agent.ask("receive", {
		fields: {
			nonce: agent.nonce(),
			encoding,
			size: bytes.length,
			whole,
			...more
		},
		bytes
	});
}
/** What the binary says of itself is known already, and shows that testing the configuration changes nothing there. */
function canTestAtOnce(run, file) {
	return file.build.version !== "" && sideEffectOfTest(run, file) === void 0;
}
/** The decisive test of a binary is running it there; the configuration is tested only where that changes nothing. */
async function judge(run, { file, answer }) {
	const rules = rulesOf(run);
	const read = fieldsOf(answer.fields, "check");
	const said = read.text("build");
	const build = said === "" ? file.build : parseBuildInfo(said);
	if (read.number("versionExit") !== 0 || build.version === "") settle(run, judgeFinding(cannotRun(read), rules));
	let tested = answer;
	if (!canTestAtOnce(run, file)) {
		const known = run.binary ?? {
			size: 0,
			modules: void 0
		};
		settle(run, judgeCandidate({
			...known,
			sha256: file.sha256,
			build
		}, run.facts, rules));
		if (sideEffectOfTest(run, file) === void 0) {
			const fields = {
				nonce: run.agent.nonce(),
				test: "yes"
			};
			tested = mustSucceed(await run.agent.ask("check", { fields }), run.result);
		}
	}
	const test = fieldsOf(tested.fields, "check");
	if (file.kind === "plan" || test.numberOrNull("testExit") !== 0) noteLeft(run, test.lines("left"));
	const exit = test.numberOrNull("testExit");
	if (exit === null) run.result.notes.push(notTested(run, {
		file,
		why: test.text("untested"),
		said: test.lines("test")
	}));
	else if (exit === ENDED_BY_FORCE) settle(run, judgeFinding(testTimeout(), rulesOf(run)));
	else if (exit !== 0) settleTest(run, {
		build,
		lines: test.lines("test")
	});
	return build;
}
/** What `nginx -t` would change on the host (ngx_init_cycle): a missing pid file is created, directories change their owner, links are followed. */
function sideEffectOfTest({ facts: { master } }, { kind }) {
	if (master.ledPaths.length > 0 && kind === "plan") return "others could have `nginx -t`, as root, change what they like (`paths-of-others`); an upgrade tests it";
	return (master.pidText === null ? kind !== "plan" : master.pidText === String(master.process.pid)) ? void 0 : "with this pid file `nginx -t` would change the host";
}
/** The helper gives `-t` a minute, and then kills it. */
const ENDED_BY_FORCE = 137;
function testTimeout() {
	return {
		code: "config-test-timeout",
		message: "`nginx -t` of the new binary had not ended after a minute and was ended: something that the configuration names does not answer",
		fix: "Look for a log that is a pipe without a reader, a file system that hangs, a resolver that is silent."
	};
}
function cannotRun(read) {
	const said = read.text("build").trim().slice(0, 300);
	return {
		code: /error while loading shared libraries|cannot open shared object|version `[^']+' not found/.test(said) ? /GLIBC|ld-/.test(said) ? "libc" : "missing-library" : /Exec format/.test(said) ? "architecture" : "libc",
		message: `the new binary does not run on this host (exit code ${read.number("versionExit")}): ${said || "it said nothing"}`,
		fix: "Build it on the distribution and release that the host runs, or install what it needs there."
	};
}
function notTested(run, { file, why, said }) {
	const reason = sideEffectOfTest(run, file) ?? UNTESTED[why] ?? "the target could not";
	const failed = said.find((line) => line.includes("[emerg]")) ?? said.at(-1);
	return `The configuration was not tested: ${reason}.${why !== "outside" || failed === void 0 ? "" : ` Tried outside of them, it failed: ${failed.slice(0, 300)}`}`;
}
/** In the helper's words. */
const UNTESTED = {
	"no-namespace": "modules go with the new binary, and no mount namespace in which they lie at their paths can be had there",
	outside: "the master has mounts or a network of its own, and no way in is there (`nsenter`, as root, to a master of root in the same user namespace); `rehearse: true` tests it inside",
	"other-root": "the master sees another file where the new one is staged; `rehearse: true` tests it inside",
	"other-config": "the master sees other files in place of those that were read here, so that nobody could tell what `nginx -t` made; an upgrade tests it",
	cut: "it is too long for anybody to tell beforehand what `nginx -t` would make; an upgrade tests it",
	gone: "the master ended",
	confined: "the unit shuts nginx in (a filter of system calls, mounts of its own), and its user can change what the configuration consists of; a test from outside would let it out. `rehearse: true` tests it inside"
};

// src/host/judging.ts
/**
* The checks before anything is sent. Where they refuse, what can still be judged without harm is judged as well, so that
* one run names everything: the health URL, and what the new binary itself says of a configuration that was changed.
*/
async function judgeHostAndFile(run, { facts, early }) {
	try {
		return preflight(run, facts);
	} catch (error) {
		if (!(error instanceof require_errors.Refused) || facts.master === null) throw error;
		const inspected = {
			...run,
			facts: {
				...facts,
				master: facts.master
			}
		};
		const health = await refusalsOf(() => judgeBaseline(inspected, early));
		const test = error.findings.every(({ code }) => OF_CONFIGURATION.has(code)) ? await refusalsOf(() => tryFile(inspected)) : [];
		throw new require_errors.Refused(distinct([
			...error.findings,
			...health,
			...test
		]));
	}
}
const OF_CONFIGURATION = new Set((CODES["The configuration"] ?? []).map(({ code }) => code));
async function tryFile(run) {
	const { binary } = run;
	if (binary === void 0 || binary.sha256 === run.facts.master.sha256) return;
	await stage(run, {
		kind: "plan",
		sha256: binary.sha256,
		build: binary.build
	});
	await unstage(run);
}
async function refusalsOf(judge) {
	try {
		await judge();
		return [];
	} catch (error) {
		if (error instanceof require_errors.Refused) return error.findings;
		if (error instanceof Cancelled) throw error;
		return [];
	}
}
function distinct(findings) {
	return findings.filter(({ code }, index) => findings.findIndex((other) => other.code === code) === index);
}

// src/host/recovery.ts
/**
* The first step of every run that changes something: what a run left half done, with nobody at work on it any more, is
* brought to its end. A decision that stands is carried out; without one the old version serves again.
* Returns the facts as they are then; a live or held upgrade stays as it is.
*/
async function recover(run, facts) {
	const { upgrade, lockAlive } = facts.ours;
	if (upgrade === null || facts.whyNot === "ambiguous-master") return facts;
	if (!isAbandoned(upgrade, lockAlive)) return facts;
	run.result.notes.push(`An unfinished upgrade (${upgrade.run}, phase ${upgrade.phase}) was found and brought to its end.`);
	await phase(run, "rollback", async () => {
		if (!(await run.agent.ask("adopt", { fields: {
			nonce: upgrade.nonce,
			decide: upgrade.decision || "rollback",
			why: "abandoned"
		} })).ok) return;
		const waits = run.config.switch.drainTimeout * 2 + 6e4;
		if (upgrade.decision === "commit") await run.agent.ask("commit", { waits });
		else await run.agent.ask("rollback", {
			fields: { why: "abandoned" },
			waits
		});
	});
	return inspect(run);
}
/** Nobody acts: the host was restarted, or neither guard nor helper lives. One that is held waits, even without a guard. */
function isAbandoned(upgrade, lockAlive) {
	if (!upgrade.sameBoot) return true;
	return !lockAlive && (upgrade.phase !== "held" || upgrade.decision !== "");
}

// src/host/upgrade.ts
/** One host: from the old binary to the new one, or back. */
async function upgradeHost(run) {
	const early = startBaseline(run);
	const facts = await recover(run, await inspect(run));
	if (run.supply?.costly === true && facts.ours.upgrade === null) refuseEarly(run, facts);
	const binary = await obtain(run, facts.master);
	const { upgrade } = facts.ours;
	if (upgrade !== null) return goOn(run, {
		upgrade,
		master: facts.master,
		sha256: binary.sha256
	});
	const inspected = await judgeHostAndFile({
		...run,
		binary
	}, {
		facts,
		early
	});
	if (inspected.facts.master.sha256 === binary.sha256) {
		run.result.outcome = "unchanged";
		return;
	}
	const probing = await judgeBaseline(inspected, early);
	if (await switchTo(inspected, {
		file: {
			kind: "upgrade",
			sha256: binary.sha256,
			build: binary.build
		},
		probing
	}) === "committed") run.result.outcome = "upgraded";
}
/** The switch itself, for a new binary as for a retained one. Where it fails, the result says so and what is true now. */
async function switchTo(run, { file, probing }) {
	const sides = sidesOf(run, {
		file,
		build: file.build
	});
	let begun = false;
	try {
		const build = await stage(run, file);
		begun = true;
		sides.new.version = build.version;
		startMeasuring(probing);
		const retiring = await begin(run);
		await canary(run);
		await retire(run, retiring);
		slowDown(run, probing);
		await bake(run, probing);
		return await conclude$1(run, {
			file,
			sides
		});
	} catch (cause) {
		if (cause instanceof require_errors.Refused) throw cause;
		if (!begun && !isLeftOpen(cause)) {
			Object.assign(run.result, {
				outcome: "failed",
				reason: reasonOf(cause)
			});
			return "failed";
		}
		await retreat(run, {
			cause,
			sides
		});
		return "failed";
	} finally {
		await stopMeasuring(run, probing);
	}
}
async function conclude$1(run, { file, sides }) {
	if (!run.config.switch.autoCommit && file.kind === "upgrade") {
		await hold(run, sides);
		return "held";
	}
	await commit(run, sides);
	return "committed";
}
/** An upgrade to the same binary is held there: it goes on from the bake; one to another binary must be ended first. */
async function goOn(run, held) {
	const { upgrade } = held;
	if (upgrade.phase !== "held") throw new require_errors.Refused([lockedFinding(`${upgrade.who}, ${upgrade.run}, phase ${upgrade.phase}`)]);
	if (upgrade.newSha256 !== held.sha256) throw new require_errors.Refused([otherIsHeld(upgrade)]);
	await settleAttribution(run, held.master);
	const sides = heldSides(upgrade);
	await phase(run, "preflight", async () => {
		mustSucceed(await run.agent.ask("adopt", { fields: { nonce: upgrade.nonce } }), run.result);
	});
	run.result.oldMaster = upgrade.oldMaster;
	run.result.newMaster = upgrade.newMaster;
	const probing = heldProbing(run);
	try {
		startMeasuring(probing);
		slowDown(run, probing);
		await bake(run, probing);
		if (run.config.switch.autoCommit) {
			await commit(run, sides);
			run.result.outcome = "upgraded";
		} else await hold(run, sides);
	} catch (cause) {
		await retreat(run, {
			cause,
			sides
		});
	} finally {
		await stopMeasuring(run, probing);
	}
}
function heldProbing(run) {
	const probes = probesOf(run);
	return probes === null ? null : {
		probes,
		baselineP99Ms: null,
		stream: void 0
	};
}
function heldSides(upgrade) {
	return {
		old: {
			version: upgrade.oldVersion,
			sha256: upgrade.oldSha256
		},
		new: {
			version: upgrade.newVersion,
			sha256: upgrade.newSha256
		}
	};
}
function sidesOf(run, { file, build }) {
	const { master } = run.facts;
	return {
		old: {
			version: parseBuildInfo(master.build).version,
			sha256: master.sha256
		},
		new: {
			version: build.version,
			sha256: file.sha256
		}
	};
}
function otherIsHeld(upgrade) {
	return {
		code: "upgrade-in-progress",
		message: `an upgrade to another binary (${upgrade.newVersion}, ${upgrade.newSha256}) is held on this host by ${upgrade.who} (${upgrade.run})`,
		fix: "End it first with the command `commit` or `rollback`."
	};
}

// src/host/commit.ts
/** Ends a held upgrade for good, after the new generation was looked at (and probed) once more. */
async function commitHost(run) {
	const facts = await inspect(run);
	const { upgrade, lockAlive } = facts.ours;
	if (upgrade === null) {
		run.result.outcome = "unchanged";
		run.result.notes.push("There is no held upgrade to commit.");
		return;
	}
	const finishing = upgrade.decision === "commit" && !lockAlive;
	if (upgrade.phase !== "held" && !finishing) throw new require_errors.Refused([lockedFinding(`${upgrade.who}, ${upgrade.run}, phase ${upgrade.phase}`)]);
	if (!finishing) await settleAttribution(run, facts.master);
	const sides = heldSides(upgrade);
	Object.assign(run.result, {
		oldMaster: upgrade.oldMaster,
		newMaster: upgrade.newMaster
	});
	const fields = {
		nonce: upgrade.nonce,
		...finishing ? { decide: "commit" } : {}
	};
	await phase(run, "preflight", async () => mustSucceed(await run.agent.ask("adopt", { fields }), run.result));
	const probing = finishing ? null : heldProbing(run);
	try {
		startMeasuring(probing);
		await bake({
			...run,
			config: {
				...run.config,
				switch: {
					...run.config.switch,
					bakeTime: 0
				}
			}
		}, probing);
		await commit(run, sides);
		run.result.outcome = "upgraded";
	} catch (cause) {
		await retreat(run, {
			cause,
			sides
		});
	} finally {
		await stopMeasuring(run, probing);
	}
}

// src/host/plan.ts
/** What `upgrade` would do here. Leaves nothing on the target. */
async function planHost(run) {
	const early = startBaseline(run);
	const facts = await inspect(run);
	const { upgrade } = facts.ours;
	if (upgrade?.phase === "held") throw new require_errors.Refused([otherIsHeld(upgrade)]);
	if (upgrade !== null) throw new require_errors.Refused([lockedFinding(`${upgrade.who}, ${upgrade.run}, phase ${upgrade.phase}`)]);
	const binary = await atHand(run, facts);
	const inspected = await judgeHostAndFile({
		...run,
		binary
	}, {
		facts,
		early
	});
	await judgeBaseline(inspected, early);
	run.result.outcome = "planned";
	if (binary === void 0) {
		run.result.notes.push("Not judged without a binary: config-test-failed, module-signature, missing-library.");
		run.result.notes.push(...steps(inspected, "the new version"));
		return;
	}
	if (inspected.facts.master.sha256 === binary.sha256) {
		run.result.notes.push("The target runs this very binary already: nothing would be done (`unchanged`).");
		return;
	}
	const build = await stage(inspected, {
		kind: "plan",
		sha256: binary.sha256,
		build: binary.build
	});
	await unstage(inspected);
	run.result.notes.push(...steps(inspected, build.version));
}
/** A plan builds nothing: what was built before serves to judge. */
async function atHand(run, facts) {
	const { supply } = run;
	if (supply === void 0) return void 0;
	if (supply.costly) refuseEarly(run, facts);
	return phase(run, "obtain", () => supply.atHand(facts.master));
}
const GUARDS = {
	systemd: "a transient systemd service",
	"systemd-user": "a transient service of the user’s systemd"
};
function steps({ facts: { master, guardKind }, config }, version) {
	const old = master.process.pid;
	const { switch: times } = config;
	const rehearsal = times.rehearse ? `let ${old} execute a stub with \`-t\` (a plan sends no signal), ` : "";
	const guard = GUARDS[guardKind] ?? "a detached process";
	return [
		`Would replace ${parseBuildInfo(master.build).version} by ${version} at ${master.path}`,
		`Guard: ${guard}, ${times.confirmTimeout / 1e3} s without a sign of life and it rolls back`,
		`1. stage the file in a directory beside ${master.path}, ${rehearsal}swap it in, USR2 to ${old}, put the old file back`,
		`2. wait until the new workers accept on all ${master.listeners.length} listeners${times.canaryTime > 0 ? `, watch both for ${times.canaryTime / 1e3} s` : ""}`,
		`3. WINCH to ${old}, wait until no old worker accepts`,
		`4. bake for ${times.bakeTime / 1e3} s`,
		times.autoCommit ? `5. install the file and send QUIT to ${old}` : `5. hold: ${old} stays parked until \`commit\``,
		`If anything fails before 5: HUP to ${old} where none of its workers accepts, QUIT to the new master`
	];
}

// src/host/rollback.ts
/** Whatever the state: an unfinished upgrade is undone at once, a committed one by a hot upgrade to the previous binary. */
async function rollbackHost(run) {
	let facts = await inspect(run);
	const { upgrade } = facts.ours;
	if (upgrade !== null && upgrade.decision !== "commit") {
		const sides = heldSides(upgrade);
		Object.assign(run.result, {
			oldMaster: upgrade.oldMaster,
			newMaster: upgrade.newMaster
		});
		await rollBackOrClosed(run, {
			nonce: upgrade.nonce,
			sides
		});
		if (run.result.outcome === "rolled-back") Object.assign(run.result, {
			previousVersion: sides.new.version || null,
			previousSha256: sides.new.sha256
		});
		if (run.result.outcome === "failed" && run.result.reason === null) run.result.outcome = "rolled-back";
		return;
	}
	facts = await recover(run, facts);
	await goBackToPrevious({
		...run,
		binary: void 0
	}, facts);
}
/** Where the answer was lost on the way, or the guard carried out first what was decided, the target still went back as it was asked to. */
async function rollBackOrClosed(run, { nonce, sides }) {
	const fields = {
		nonce,
		decide: "rollback",
		why: "asked"
	};
	try {
		const adopted = await phase(run, "preflight", () => run.agent.ask("adopt", { fields }));
		if (adopted.reason === "rebooted") {
			closedBefore(run, {
				outcome: fieldsOf(adopted.fields, "adopt").text("outcome"),
				why: "reboot",
				sides
			});
			return;
		}
		succeededOrClosed(adopted, run);
		await rollBack(run, {
			why: "asked",
			sides
		});
	} catch (error) {
		if (!(error instanceof ClosedMeanwhile)) throw error;
		closedBefore(run, {
			outcome: error.outcome,
			why: error.why,
			sides
		});
	}
}
async function goBackToPrevious(run, facts) {
	const { previous, retained } = facts.ours;
	const sha256 = previous?.get("sha") ?? "";
	if ((previous === null || facts.master?.sha256 !== previous.get("replaced_by")) && facts.master !== null) {
		run.result.outcome = "unchanged";
		run.result.notes.push("There is nothing to undo: the running binary did not come from an upgrade that could be taken back.");
		return;
	}
	const inspected = preflight(goingBack(run), facts);
	if (!retained.includes(sha256)) throw new require_errors.Refused([gone(sha256)]);
	const build = {
		flavour: "",
		version: "",
		arguments: []
	};
	const probing = await judgeBaseline(inspected, startBaseline(run));
	if (await switchTo(inspected, {
		file: {
			kind: "reverse",
			sha256,
			build
		},
		probing
	}) === "committed" || run.result.outcome === "upgraded") run.result.outcome = "rolled-back";
	else if (run.result.outcome === "rolled-back") run.result.outcome = "failed";
}
/** Going back is the point of the command: an older version, red health, whatever can be survived is no reason to refuse it. */
function goingBack(run) {
	const survivable = [...PREFLIGHT_CODES].flatMap(([code, severity]) => severity === "survivable" ? [code] : []);
	const accepting = {
		...run.config.switch,
		allowDowngrade: true,
		allow: new Set(survivable)
	};
	return {
		...run,
		config: {
			...run.config,
			switch: accepting
		}
	};
}
/** That may have been the rollback itself; where the new version was installed already, it is what serves. */
function closedBefore(run, closed) {
	closedAs(run, closed);
	if (closed.outcome !== "committed") return;
	run.result.outcome = "failed";
	const how = closed.why === "reboot" ? "the host was restarted" : "the upgrade was closed meanwhile";
	run.result.reason = {
		code: "changed-by-others",
		message: `${how} with the new version installed; run \`rollback\` again to go back to the old one`
	};
}
function gone(sha256) {
	return {
		code: "not-retained",
		message: `the previous binary (${sha256}) is not retained on the target any more`,
		fix: "Upgrade to it with `binary` and `allow-downgrade: true`."
	};
}

// src/host/status.ts
/** Reads the state of one target and changes nothing. */
async function statusOf(run) {
	const facts = await inspect(run);
	const { upgrade } = facts.ours;
	if (upgrade !== null) {
		const deadline = new Date(Date.now() + upgrade.deadlineIn).toISOString();
		Object.assign(run.result, {
			oldMaster: upgrade.oldMaster,
			newMaster: upgrade.newMaster
		});
		const [version, sha256] = upgrade.newLives && upgrade.parked && upgrade.phase !== "undoing" ? [upgrade.newVersion, upgrade.newSha256] : [upgrade.oldVersion, upgrade.oldSha256];
		Object.assign(run.result, {
			version,
			sha256
		});
		Object.assign(run.result, {
			previousVersion: upgrade.oldVersion,
			previousSha256: upgrade.oldSha256
		});
		if (upgrade.guardLives) run.result.guard = {
			deadline,
			kind: upgrade.guardKind
		};
	}
	run.result.notes.push(...describe(facts));
	run.result.outcome = "reported";
}
function describe({ master, masters, ours }) {
	const lines = [];
	if (master === null) lines.push(`No single master was found. Seen: ${masters || "none"}`);
	else {
		const workers = master.children.filter(({ accepting }) => accepting).length;
		const draining = master.children.filter(({ role }) => role === "leaving").length;
		const { version } = parseBuildInfo(master.build);
		const from = master.pathInode === master.exeInode ? master.path : master.exe;
		lines.push(`Master ${master.process.pid} runs ${version} (${master.sha256}) from ${from}`);
		lines.push(`${workers} of its workers accept on ${master.listeners.length} listeners, ${draining} are draining`);
		const second = master.children.find(({ role }) => role === "master");
		if (second !== void 0) lines.push(`A second master, ${second.process.pid}, runs beside it: an upgrade was begun and not ended`);
		if (master.predecessor !== null) {
			const { process, workers: left } = master.predecessor;
			lines.push(`Its predecessor ${process.pid} still drains ${left} workers`);
		}
	}
	const { upgrade } = ours;
	if (ours.broken !== null) {
		const { message, fix } = brokenFinding(booksMessage(ours));
		lines.push(`${message}. ${fix}`);
	}
	if (upgrade !== null) {
		lines.push(`Upgrade ${upgrade.oldVersion} to ${upgrade.newVersion} by ${upgrade.who} (${upgrade.run}), phase ${upgrade.phase}`);
		const left = Math.max(0, Math.round(upgrade.deadlineIn / 1e3));
		lines.push(upgrade.guardLives ? `Its guard rolls back in ${left} s` : "No guard watches it: run `rollback` or `commit`");
	}
	if (ours.previous !== null) lines.push(`\`rollback\` would go back to ${ours.previous.get("version")} (${ours.previous.get("sha")})`);
	lines.push(`Retained binaries: ${ours.retained.join(", ") || "none"}`);
	return lines;
}

// src/obtain/ahead.ts
/**
* Obtains what every target needs before the first one is touched; to build with the arguments of what runs, all are
* asked for them first. Resolves to the targets for which nothing can be had, with the reason. A target that cannot be
* asked, or is refused whatever comes, is none of them: its own turn will tell.
*/
async function obtainAhead(options) {
	const { config, log, supply } = options;
	const missing = /* @__PURE__ */ new Map();
	const { command, binary, targets } = config;
	if (supply === void 0 || binary === void 0 || binary.kind === "file" || command === "plan") return missing;
	const inherits = binary.kind === "build" && binary.arguments === "inherit";
	const masters = inherits ? await askAll(options) : /* @__PURE__ */ new Map();
	if (masters.size > 1) log.info(grouped(masters));
	const anybody = targets.length > 0 ? targets.map(({ name }) => name) : ["local"];
	for (const name of inherits ? masters.keys() : anybody) {
		if (options.cancel.aborted) break;
		await supply.for(masters.get(name) ?? null).catch((error) => missing.set(name, error));
	}
	return missing;
}
/** The running masters, by target. */
async function askAll(options) {
	const { config, log, cancel } = options;
	const masters = /* @__PURE__ */ new Map();
	for (const target of config.targets) {
		if (cancel.aborted) break;
		try {
			const agent = await openAgent(target, {
				config,
				identity: whoAmI(),
				cancel
			});
			try {
				const facts = await agent.facts();
				if (facts.master !== null && judgeHost(facts, rulesOf({ config })).refusals.length === 0) masters.set(target.name, facts.master);
			} finally {
				agent.close();
			}
		} catch (error) {
			log.info(`${target.name} cannot be asked for its arguments: ${require_errors.messageOf(error)}`);
		}
	}
	return masters;
}
/** How many builds serve how many targets. */
function grouped(masters) {
	const groups = /* @__PURE__ */ new Map();
	for (const [name, { build, modules }] of masters) {
		const key = [printArgs(parseBuildInfo(build).arguments), ...modules].join("\n");
		groups.set(key, [...groups.get(key) ?? [], name]);
	}
	const lists = [...groups.values()].map((names) => names.join(", "));
	return `${masters.size} targets run ${groups.size} different ${groups.size === 1 ? "build" : "builds"} of nginx: ${lists.join(" | ")}`;
}

// src/obtain/tar-listing.ts
/** `-rwxr-xr-x 0/0 1234 2026-01-01 12:00 usr/sbin/nginx`, as GNU tar and busybox write it with numbers for owners. */
const LINE = /^([-dlhcbpsCS])([rwxsStT-]{9})\S* +\S+ +([\d,]+) +(\S+ +\d[\d:.]*) (.*)$/;
/** Reads what `tar -tv` printed; a clause where a line is none of its kind, such as the second half of a name. */
function readListing(text) {
	const entries = [];
	for (const line of text.split("\n").filter((each) => each !== "")) {
		const [, type = "", mode = "", size = "", , rest = ""] = LINE.exec(line) ?? [];
		if (type === "") return `found an entry that cannot be read: ${JSON.stringify(line.slice(0, 80))}`;
		const [name = "", target, ...more] = /^[lh]$/.test(type) ? rest.split(/ -> | link to /) : [rest];
		if (more.length > 0) return `found a link that cannot be read: ${JSON.stringify(line.slice(0, 80))}`;
		entries.push({
			type,
			mode,
			size: Number(size) || 0,
			name,
			...target === void 0 ? {} : { target }
		});
	}
	return entries;
}
const MOST_ENTRIES = 1e5;
/** What nobody packs who means well, as a clause; undefined where there is nothing of the kind. */
function unsafeEntry(entries, limit) {
	if (entries.length === 0) return "it is empty";
	if (entries.length > MOST_ENTRIES) return `it has more than ${MOST_ENTRIES} entries`;
	const total = entries.reduce((sum, { size }) => sum + size, 0);
	if (total > limit) return `it would unpack to ${total} bytes, more than ${limit}`;
	return entries.map(unsafe$1).find((clause) => clause !== void 0);
}
function unsafe$1({ type, mode, name, target }) {
	const shown = JSON.stringify(name.slice(0, 200));
	if (leadsOut(name)) return `the entry ${shown} leads out of it`;
	if (/[\\\n]/.test(name)) return `the entry ${shown} has a line break or a backslash in its name`;
	if (/^[cbpsCS]$/.test(type)) return `the entry ${shown} is a device or a pipe`;
	if (name.startsWith("-")) return `the entry ${shown} is called like an option`;
	if (type === "-" && /[sS]/.test(mode)) return `the entry ${shown} changes the user who runs it`;
	if (type === "h") return `the entry ${shown} is a hard link`;
	if (type === "l" && leadsOut(target ?? "")) return `the link ${shown} leads upwards, to ${target}`;
}
function leadsOut(path) {
	return path.startsWith("/") || path.split("/").includes("..");
}

// src/obtain/archive.ts
/** Bytes that any archive may unpack to. */
const UNPACKED_LIMIT = 2 * 1024 ** 3;
/** What the first bytes say: only these are looked into. */
function kindOf(bytes) {
	const head = bytes.toString("latin1", 0, 21);
	if (head.startsWith("ELF")) return "elf";
	if (head.startsWith("")) return "gzip";
	if (head.startsWith("ý7zXZ")) return "xz";
	return head.startsWith("!<arch>\ndebian-binary") ? "deb" : void 0;
}
/**
* The one nginx in a `.tar.gz`, `.tar.xz` or `.deb`. Nothing is unpacked but its bytes, into our own memory. Throws Refused
* (`archive-unsafe`) where the archive holds what nobody packs who means well, no nginx, or several.
*/
async function nginxIn(packed) {
	return withTar(packed, async (tar) => {
		const called = (await listed(tar, packed)).filter(({ type, name }) => type !== "d" && (0, node_path.basename)(name) === "nginx");
		const odd = called.find(({ type }) => type !== "-");
		if (odd !== void 0) throw unsafe(packed, `${odd.name} in it is no plain file`);
		const twice = called.find(({ name }, index) => called.findIndex((other) => other.name === name) < index);
		if (twice !== void 0) throw unsafe(packed, `it holds ${twice.name} twice`);
		if (called.length > MOST_CALLED_NGINX) throw unsafe(packed, "it holds many files that are called nginx");
		const programs = (await Promise.all(called.map((entry) => program(tar, entry)))).filter((each) => each !== void 0);
		const [only, ...others] = programs;
		if (only === void 0) throw unsafe(packed, "it holds no program that is called nginx");
		if (others.length > 0) throw unsafe(packed, `it holds several: ${programs.map(({ name }) => name).join(", ")}`);
		return only.bytes;
	});
}
/** Scripts and settings of that name come with every package. */
const MOST_CALLED_NGINX = 16;
async function program(tar, { name, size }) {
	const bytes = await streamTool([
		"tar",
		"-xOf",
		tar,
		"--no-recursion",
		"--",
		name
	], { limit: size });
	return kindOf(bytes) === "elf" ? {
		name,
		bytes
	} : void 0;
}
/** Unpacks a source archive, without its one top directory, into `into`. Throws Refused (`archive-unsafe`). */
async function unpackSource(packed, into) {
	await withTar(packed, async (tar) => {
		const entries = await listed(tar, packed);
		const names = entries.map(({ name }) => name.replace(/^\.\//, "")).filter((name) => name !== "");
		const tops = new Set(names.map((name) => name.split("/", 1)[0]));
		if (tops.size !== 1 || !names.every((name) => name.includes("/"))) throw unsafe(packed, `expected one directory at its top, found ${tops.size === 1 ? "a file" : tops.size}`);
		const dotted = entries.every(({ name }) => name.startsWith("./"));
		if (names.some((name) => name.startsWith("./")) || !dotted && entries.some(({ name }) => name.startsWith("./"))) throw unsafe(packed, "its names begin in different ways");
		await runTool([
			"tar",
			"-xf",
			tar,
			"-C",
			into,
			`--strip-components=${dotted ? 2 : 1}`,
			"--no-same-owner",
			"--no-same-permissions"
		]);
	});
}
/** Gives the path of a file that `tar` reads by itself; of a package, what dpkg-deb says is in it. */
async function withTar(packed, body) {
	const kind = kindOf(packed.bytes);
	if (kind === void 0 || kind === "elf") throw unsafe(packed, "it is neither a .tar.gz, a .tar.xz nor a .deb");
	const dir = await (0, node_fs_promises.mkdtemp)((0, node_path.join)((0, node_os.tmpdir)(), "nginx-hot-upgrade-unpack-"));
	try {
		const file = (0, node_path.join)(dir, `archive.${kind}`);
		await (0, node_fs_promises.writeFile)(file, packed.bytes, {
			mode: 384,
			flag: "wx"
		});
		if (kind !== "deb") return await body(file);
		const tar = (0, node_path.join)(dir, "data.tar");
		await (0, node_fs_promises.writeFile)(tar, await orDamaged(packed, streamTool([
			"dpkg-deb",
			"--fsys-tarfile",
			file
		], { limit: UNPACKED_LIMIT })));
		return await body(tar);
	} finally {
		await (0, node_fs_promises.rm)(dir, {
			recursive: true,
			force: true
		});
	}
}
async function listed(tar, packed) {
	const text = await orDamaged(packed, runTool([
		"tar",
		"--numeric-owner",
		"-tvf",
		tar
	]));
	const entries = readListing(text);
	if (typeof entries === "string") throw unsafe(packed, entries);
	const judged = kindOf(packed.bytes) === "deb" ? entries.filter(({ type }) => type !== "l") : entries;
	const clause = unsafeEntry(judged, UNPACKED_LIMIT);
	if (clause !== void 0) throw unsafe(packed, clause);
	return entries;
}
/** What a program cannot read is damaged; a program that is not here is another matter. */
async function orDamaged(packed, reading) {
	return reading.catch(async (error) => {
		if (error instanceof require_errors.Refused) throw error;
		const unpacker = kindOf(packed.bytes);
		if (unpacker === "xz" || unpacker === "gzip") await runTool([unpacker, "--version"]);
		throw unsafe(packed, "it is damaged");
	});
}
function unsafe({ what }, clause) {
	return refuse("archive-unsafe", `${what} is no archive that can be used: ${clause}`, "Pack exactly one nginx, with plain files and relative names.");
}

// src/obtain/cache.ts
const TOOL = "nginx-hot-upgrade";
function keyOf(parts) {
	return (0, node_crypto.createHash)("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}
/**
* The entry where this user of this machine stored it, and each file has the digest that was noted then. What others put into the
* cache is as good as nothing: who can write an entry can write a list of digests beside it, so ours lies elsewhere. A spoilt one
* is removed.
*/
async function findEntry(version, key) {
	const { find } = await toolCache();
	const directory = await quietly(async () => find(TOOL, version, key));
	if (directory === "") return void 0;
	const entry = await readEntry(directory, {
		version,
		key
	}).catch(() => void 0);
	if (entry === void 0) await Promise.all([directory, `${directory}.complete`].map((path) => (0, node_fs_promises.rm)(path, {
		recursive: true,
		force: true
	})));
	return entry;
}
async function storeEntry({ nginx, modules }, place) {
	const { cacheDir } = await toolCache();
	const directory = await (0, node_fs_promises.mkdtemp)((0, node_path.join)((0, node_os.tmpdir)(), "nginx-hot-upgrade-store-"));
	try {
		const files = [{
			name: "nginx",
			bytes: nginx
		}, ...modules.map(({ name, bytes }) => ({
			name: (0, node_path.join)("modules", name),
			bytes
		}))];
		await (0, node_fs_promises.mkdir)((0, node_path.join)(directory, "modules"));
		for (const { name, bytes } of files) await (0, node_fs_promises.writeFile)((0, node_path.join)(directory, name), bytes, { mode: 493 });
		const stored = await quietly(() => cacheDir(directory, TOOL, place.version, place.key));
		await note(place, Object.fromEntries(files.map(({ name, bytes }) => [name, sha256Of(bytes)]))).catch(() => {});
		return {
			nginx,
			modules,
			path: (0, node_path.join)(stored, "nginx")
		};
	} finally {
		await (0, node_fs_promises.rm)(directory, {
			recursive: true,
			force: true
		});
	}
}
/** Of the digests of an entry's files: with the user's state, not with what caches keep and jobs hand on. Rejects where there is no such place. */
function voucherOf({ version, key }) {
	const { XDG_STATE_HOME, HOME } = process.env;
	const state = XDG_STATE_HOME || HOME && (0, node_path.join)(HOME, ".local/state");
	if (!state) throw new Error("there is no place for the state of this user: neither HOME nor XDG_STATE_HOME is set");
	return (0, node_path.join)(state, TOOL, "built", `${version}-${key}.json`);
}
async function note(place, digests) {
	const path = voucherOf(place);
	await (0, node_fs_promises.mkdir)((0, node_path.dirname)(path), {
		recursive: true,
		mode: 448
	});
	await (0, node_fs_promises.writeFile)(path, JSON.stringify(digests, null, 2), { mode: 384 });
}
/** Rejects where anything is missing or has another digest than was noted. */
async function readEntry(directory, place) {
	const noted = JSON.parse(await (0, node_fs_promises.readFile)(voucherOf(place), "utf8"));
	if (typeof noted !== "object" || noted === null) throw new Error("no list of files in the entry");
	const files = await Promise.all(Object.entries(noted).map(([name, digest]) => readNoted(directory, {
		name,
		digest
	})));
	const nginx = files.find(({ name }) => name === "nginx");
	if (nginx === void 0) throw new Error("no nginx in the entry");
	const modules = files.filter(({ name }) => name.startsWith("modules/")).map(({ name, bytes }) => ({
		name: name.slice(8),
		bytes
	}));
	return {
		path: (0, node_path.join)(directory, "nginx"),
		nginx: nginx.bytes,
		modules
	};
}
async function readNoted(directory, { name, digest }) {
	if (!/^(?:nginx|modules\/[\w.-]+)$/.test(name)) throw new Error(`an odd name in the entry: ${name}`);
	const bytes = await readRegular((0, node_path.join)(directory, name));
	if (sha256Of(bytes) !== digest) throw new Error(`${name} has another digest than was noted`);
	return {
		name,
		bytes
	};
}
/** Who writes to the cache may put a pipe there, or what never ends. */
async function readRegular(path) {
	const handle = await (0, node_fs_promises.open)(path, node_fs.constants.O_RDONLY | node_fs.constants.O_NONBLOCK | node_fs.constants.O_NOFOLLOW);
	try {
		const stat = await handle.stat();
		if (!stat.isFile() || stat.size > MOST_BYTES) throw new Error(`${path} is no file of an entry`);
		return await handle.readFile();
	} finally {
		await handle.close();
	}
}
const MOST_BYTES = 1024 ** 3;
/** The runner names the place of its cache; elsewhere it is the user's own. */
async function toolCache() {
	const base = process.env["XDG_CACHE_HOME"] || (0, node_path.join)((0, node_os.homedir)(), ".cache");
	process.env["RUNNER_TOOL_CACHE"] ||= (0, node_path.join)(base, TOOL, "tools");
	process.env["RUNNER_TEMP"] ||= (0, node_os.tmpdir)();
	return Promise.resolve().then(() => require("./tool-cache.cjs"));
}
/** tool-cache speaks to a runner (`::debug::`) even where there is none to hide it. */
async function quietly(body) {
	if (process.env["GITHUB_ACTIONS"] === "true") return body();
	const turn = quiet.then(() => filtered(body));
	quiet = turn.then(() => {}, () => {});
	return turn;
}
let quiet = Promise.resolve();
async function filtered(body) {
	const write = process.stdout.write.bind(process.stdout);
	const selective = (...args) => String(args[0]).startsWith("::debug::") || write(...args);
	Object.assign(process.stdout, { write: selective });
	try {
		return await body();
	} finally {
		Object.assign(process.stdout, { write });
	}
}

// src/obtain/supply.ts
/** Nothing is obtained before it is asked for. */
function openSupply(source, options) {
	if (source.kind === "file") return remembering(forAll(() => loadBinary(source.path)), { costly: false });
	if (source.kind === "download") return remembering(forAll(() => downloaded(source)), { costly: true });
	const workshop = once(async () => (await Promise.resolve().then(() => require("./workshop.cjs"))).openWorkshop(source, options));
	return remembering({
		for: async (master) => (await workshop()).for(master),
		atHand: async (master) => (await workshop()).atHand(master)
	}, { costly: true });
}
/** The same for everybody. */
function forAll(obtain) {
	const obtained = once(obtain);
	return {
		for: obtained,
		atHand: obtained
	};
}
function remembering(source, { costly }) {
	let latest;
	return {
		for: async (master) => latest = await source.for(master),
		atHand: async (master) => latest = await source.atHand(master) ?? latest,
		warmUp: () => {
			if (!costly) source.for(null).catch(() => {});
		},
		costly,
		latest: () => latest
	};
}
/** Runs `make` at the first call only; a failure shows wherever it is waited for. */
function once(make) {
	let made;
	return () => {
		made ??= make();
		made.catch(() => {});
		return made;
	};
}
const DOWNLOAD_LIMIT = 1024 ** 3;
/** A bare nginx, or the one in an archive. The digest is that of what is downloaded. */
async function downloaded({ url, sha256 }) {
	const place = {
		version: "0.0.0",
		key: keyOf({
			url,
			sha256
		})
	};
	const known = await findEntry(place.version, place.key);
	if (known !== void 0) return newBinary(known);
	const bytes = await fetchBytes(url, {
		what: "the new nginx",
		limit: DOWNLOAD_LIMIT,
		deadline: 6e5
	});
	const digest = sha256Of(bytes);
	if (digest !== sha256) {
		const page = /^\s*<(?:!doctype|html)/i.test(bytes.toString("latin1", 0, 100)) ? " It is an HTML page: the address leads to no file." : "";
		throw refuse("digest-mismatch", `${url} has the digest ${digest}, expected ${sha256}.${page}`, "Compare both with the digest that its author publishes.");
	}
	const nginx = kindOf(bytes) === "elf" ? bytes : await nginxIn({
		bytes,
		what: url
	});
	return newBinary(await storeEntry({
		nginx,
		modules: []
	}, place));
}

// src/run.ts
const RECIPES = {
	build: buildFor,
	upgrade: upgradeHost,
	rollback: rollbackHost,
	commit: commitHost,
	status: statusOf,
	plan: planHost
};
/** The whole run: obtain, then host by host. Never rejects for what happened on a target. */
async function run({ config, log, cancel }) {
	const startedAt = (/* @__PURE__ */ new Date()).toISOString();
	const start = performance.now();
	const supply = config.binary === void 0 ? void 0 : openSupply(config.binary, { log });
	const options = {
		config,
		log,
		cancel,
		supply
	};
	const missing = await obtainAhead(options);
	const hosts = [];
	for (const target of hostsOf(config)) {
		const stop = cancel.aborted || config.command === "upgrade" && !hosts.every(isFine);
		const lacking = missing.has(target.name);
		const skip = stop || missing.size > 0 && !lacking && config.command === "upgrade";
		const result = skip ? skipped(target) : emptyResult(target);
		hosts.push(result);
		if (lacking && !skip) conclude(result, missing.get(target.name));
		if (lacking || skip) continue;
		if (config.targets.length === 0) {
			built(result, supply?.latest());
			tell(result, log);
		} else await log.group(target.name, () => orGivenUp(oneHost(target, {
			...options,
			result
		}), {
			cancel,
			result
		}));
	}
	const verdict = judge$2(hosts, {
		command: config.command,
		autoCommit: config.switch.autoCommit
	});
	const durationMs = Math.round(performance.now() - start);
	const instance = config.pidFile === void 0 ? {} : { pidFile: config.pidFile };
	const report = {
		command: config.command,
		...verdict,
		startedAt,
		durationMs,
		...instance,
		hosts
	};
	const used = supply?.latest();
	return {
		report,
		...used === void 0 ? {} : { binary: used }
	};
}
/** To build without a target is done for this very machine. */
function hostsOf({ command, targets }) {
	return command === "build" && targets.length === 0 ? [{
		kind: "local",
		name: "local"
	}] : targets;
}
/** A cancelled run has to be gone before the runner kills it; it then reports what it knows. */
const GIVE_UP_AFTER = 5300;
async function orGivenUp(work, { cancel, result }) {
	const late = new Promise((resolve) => {
		const wait = () => void setTimeout(resolve, GIVE_UP_AFTER).unref();
		if (cancel.aborted) wait();
		else cancel.addEventListener("abort", wait, { once: true });
	});
	if (!await Promise.race([work.then(() => false), late.then(() => true)])) return;
	Object.assign(result, {
		outcome: "failed",
		state: null
	});
	result.reason = {
		code: "cancelled",
		message: `the run was cancelled (${String(cancel.reason)})`
	};
	result.notes.push("The target had not answered when the run had to end: its guard ends what was begun; run `status` to see.");
}
async function oneHost(target, options) {
	const { config, log, cancel, result } = options;
	let agent;
	try {
		const whileWaiting = () => {
			options.supply?.warmUp();
			warmUpProbes(config.health, target);
		};
		const opening = openAgent(target, {
			config,
			identity: whoAmI(),
			probe: probeToLookFor(config.health, target),
			cancel,
			log: (message) => log.info(message),
			whileWaiting
		});
		agent = await phase({
			result,
			log
		}, "connect", () => orCancelled(cancel, () => opening));
		await RECIPES[config.command]({
			config,
			target,
			log,
			result,
			agent,
			supply: options.supply,
			binary: void 0,
			cancel
		});
	} catch (error) {
		conclude(result, error);
	} finally {
		agent?.close();
	}
	tell(result, log);
}
function tell({ warnings, refusals, notes }, log) {
	for (const { code, message, fix } of warnings) if (NOTICES.has(code)) log.info(`${code}: ${message}. ${fix}`);
	else log.warning(`${code}: ${message}. ${fix}`);
	for (const { code, message, fix } of refusals) log.info(`refused, ${code}: ${message}. ${fix}`);
	for (const note of notes) log.info(note);
}
/** Errors that end here were thrown before anything was changed on the target. */
function conclude(result, error) {
	const findings = findingsOf(error);
	if (findings === void 0) {
		result.outcome = "failed";
		result.reason ??= reasonOf(error);
		if (error instanceof Cancelled) result.notes.push("Nothing was changed on the target.");
		return;
	}
	result.outcome = "refused";
	result.refusals.push(...findings);
	result.reason = {
		code: "refused",
		message: `preflight refused: ${findings.map(({ code }) => code).join(", ")}; nothing was touched`
	};
}
function findingsOf(error) {
	if (error instanceof require_errors.Refused) return error.findings;
	if (!(error instanceof HelperRefused)) return void 0;
	const sudo = error.code === "sudo-denied";
	return [{
		code: error.code,
		message: sudo ? `the login may not become root without a password: ${error.message}` : error.message,
		fix: sudo ? "Allow it in sudoers (NOPASSWD), log in as root, or set `sudo` empty where the master is the login’s own." : "Give the login a POSIX shell that runs the command it is given: the helper is run by `/bin/sh -c`. Look for `exec` in a start file (~/.bashrc, ~/.zshenv, config.fish: guard it by a test for an interactive shell), for a forced command (ForceCommand in sshd_config, command= in authorized_keys), and at the shell of the login in passwd."
	}];
}
/** Held with a reason is a failure kept for inspection: the next host must not get the same. */
function isFine({ outcome, reason }) {
	return outcome === "upgraded" || outcome === "unchanged" || outcome === "held" && reason === null;
}
function skipped(target) {
	return {
		...emptyResult(target),
		outcome: "skipped",
		notes: ["Not started: the rollout had stopped."]
	};
}

Object.defineProperty(exports, "DialError", {
  enumerable: true,
  get: function () {
    return DialError;
  }
});
Object.defineProperty(exports, "HELP", {
  enumerable: true,
  get: function () {
    return HELP;
  }
});
Object.defineProperty(exports, "INPUT_NAMES", {
  enumerable: true,
  get: function () {
    return INPUT_NAMES;
  }
});
Object.defineProperty(exports, "MODERN_ALGORITHMS", {
  enumerable: true,
  get: function () {
    return MODERN_ALGORITHMS;
  }
});
Object.defineProperty(exports, "TAG", {
  enumerable: true,
  get: function () {
    return TAG$1;
  }
});
Object.defineProperty(exports, "VERSION", {
  enumerable: true,
  get: function () {
    return VERSION$1;
  }
});
Object.defineProperty(exports, "algorithmsFor", {
  enumerable: true,
  get: function () {
    return algorithmsFor;
  }
});
Object.defineProperty(exports, "cleanEnvironment", {
  enumerable: true,
  get: function () {
    return cleanEnvironment;
  }
});
Object.defineProperty(exports, "clip", {
  enumerable: true,
  get: function () {
    return clip;
  }
});
Object.defineProperty(exports, "coalesceWrites", {
  enumerable: true,
  get: function () {
    return coalesceWrites;
  }
});
Object.defineProperty(exports, "createMask", {
  enumerable: true,
  get: function () {
    return createMask;
  }
});
Object.defineProperty(exports, "dearmor", {
  enumerable: true,
  get: function () {
    return dearmor;
  }
});
Object.defineProperty(exports, "errorCode", {
  enumerable: true,
  get: function () {
    return errorCode;
  }
});
Object.defineProperty(exports, "failedHosts", {
  enumerable: true,
  get: function () {
    return failedHosts;
  }
});
Object.defineProperty(exports, "failedRequests", {
  enumerable: true,
  get: function () {
    return failedRequests;
  }
});
Object.defineProperty(exports, "fetchBytes", {
  enumerable: true,
  get: function () {
    return fetchBytes;
  }
});
Object.defineProperty(exports, "fetchOrNothing", {
  enumerable: true,
  get: function () {
    return fetchOrNothing;
  }
});
Object.defineProperty(exports, "findEntry", {
  enumerable: true,
  get: function () {
    return findEntry;
  }
});
Object.defineProperty(exports, "fingerprintOf", {
  enumerable: true,
  get: function () {
    return fingerprintOf;
  }
});
Object.defineProperty(exports, "harmless", {
  enumerable: true,
  get: function () {
    return harmless;
  }
});
Object.defineProperty(exports, "harmlessLines", {
  enumerable: true,
  get: function () {
    return harmlessLines;
  }
});
Object.defineProperty(exports, "helperText", {
  enumerable: true,
  get: function () {
    return helperText;
  }
});
Object.defineProperty(exports, "isInputName", {
  enumerable: true,
  get: function () {
    return isInputName;
  }
});
Object.defineProperty(exports, "keyOf", {
  enumerable: true,
  get: function () {
    return keyOf;
  }
});
Object.defineProperty(exports, "keyTypeOf", {
  enumerable: true,
  get: function () {
    return keyTypeOf;
  }
});
Object.defineProperty(exports, "kindOf", {
  enumerable: true,
  get: function () {
    return kindOf;
  }
});
Object.defineProperty(exports, "label", {
  enumerable: true,
  get: function () {
    return label;
  }
});
Object.defineProperty(exports, "longestFirst", {
  enumerable: true,
  get: function () {
    return longestFirst;
  }
});
Object.defineProperty(exports, "longestGapMs", {
  enumerable: true,
  get: function () {
    return longestGapMs;
  }
});
Object.defineProperty(exports, "lookupNames", {
  enumerable: true,
  get: function () {
    return lookupNames;
  }
});
Object.defineProperty(exports, "maskAll", {
  enumerable: true,
  get: function () {
    return maskAll;
  }
});
Object.defineProperty(exports, "matchesHost", {
  enumerable: true,
  get: function () {
    return matchesHost;
  }
});
Object.defineProperty(exports, "moduleCore", {
  enumerable: true,
  get: function () {
    return moduleCore;
  }
});
Object.defineProperty(exports, "nameOf", {
  enumerable: true,
  get: function () {
    return nameOf;
  }
});
Object.defineProperty(exports, "networkFault", {
  enumerable: true,
  get: function () {
    return networkFault;
  }
});
Object.defineProperty(exports, "neverEntered", {
  enumerable: true,
  get: function () {
    return neverEntered;
  }
});
Object.defineProperty(exports, "newBinary", {
  enumerable: true,
  get: function () {
    return newBinary;
  }
});
Object.defineProperty(exports, "once", {
  enumerable: true,
  get: function () {
    return once;
  }
});
Object.defineProperty(exports, "openSocket", {
  enumerable: true,
  get: function () {
    return openSocket;
  }
});
Object.defineProperty(exports, "parseBuildInfo", {
  enumerable: true,
  get: function () {
    return parseBuildInfo;
  }
});
Object.defineProperty(exports, "parseInputs", {
  enumerable: true,
  get: function () {
    return parseInputs;
  }
});
Object.defineProperty(exports, "parseKnownHosts", {
  enumerable: true,
  get: function () {
    return parseKnownHosts;
  }
});
Object.defineProperty(exports, "printArgs", {
  enumerable: true,
  get: function () {
    return printArgs;
  }
});
Object.defineProperty(exports, "readPackets", {
  enumerable: true,
  get: function () {
    return readPackets;
  }
});
Object.defineProperty(exports, "readPublicKeys", {
  enumerable: true,
  get: function () {
    return readPublicKeys;
  }
});
Object.defineProperty(exports, "refuse", {
  enumerable: true,
  get: function () {
    return refuse;
  }
});
Object.defineProperty(exports, "remainingHosts", {
  enumerable: true,
  get: function () {
    return remainingHosts;
  }
});
Object.defineProperty(exports, "resolveVersion", {
  enumerable: true,
  get: function () {
    return resolveVersion;
  }
});
Object.defineProperty(exports, "run", {
  enumerable: true,
  get: function () {
    return run;
  }
});
Object.defineProperty(exports, "runTool", {
  enumerable: true,
  get: function () {
    return runTool;
  }
});
Object.defineProperty(exports, "secretsOf", {
  enumerable: true,
  get: function () {
    return secretsOf;
  }
});
Object.defineProperty(exports, "sha256Of", {
  enumerable: true,
  get: function () {
    return sha256Of;
  }
});
Object.defineProperty(exports, "show", {
  enumerable: true,
  get: function () {
    return show;
  }
});
Object.defineProperty(exports, "specOf", {
  enumerable: true,
  get: function () {
    return specOf;
  }
});
Object.defineProperty(exports, "storeEntry", {
  enumerable: true,
  get: function () {
    return storeEntry;
  }
});
Object.defineProperty(exports, "suggestion", {
  enumerable: true,
  get: function () {
    return suggestion;
  }
});
Object.defineProperty(exports, "unpackSource", {
  enumerable: true,
  get: function () {
    return unpackSource;
  }
});
Object.defineProperty(exports, "urlOf", {
  enumerable: true,
  get: function () {
    return urlOf;
  }
});
Object.defineProperty(exports, "valueIn", {
  enumerable: true,
  get: function () {
    return valueIn;
  }
});
Object.defineProperty(exports, "valueOf", {
  enumerable: true,
  get: function () {
    return valueOf;
  }
});
Object.defineProperty(exports, "whyDamaged", {
  enumerable: true,
  get: function () {
    return whyDamaged;
  }
});
Object.defineProperty(exports, "worstFirst", {
  enumerable: true,
  get: function () {
    return worstFirst;
  }
});
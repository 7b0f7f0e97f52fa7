const require_run = require("./run.cjs");
const require_exec = require("./exec.cjs");
const require_errors = require("./errors.cjs");
let node_os = require("node:os");
let node_crypto = require("node:crypto");
let node_url = require("node:url");
let node_fs_promises = require("node:fs/promises");
let node_path = require("node:path");
let node_fs = require("node:fs");

// src/build/safe-arguments.ts
/**
* Why an argument must not be given to `configure`, as a clause; undefined where it may. configure puts what it is given
* into shell commands and makefiles (auto/feature, auto/make, auto/install). Whose word it is matters: a user may choose
* compilers and their options, a target only says what it was built with, and runs nothing here.
*/
function unsafeArgument(arg, { from }) {
	if (/[$`\u0000-\u001f\u007f]/.test(arg)) return "a shell or make would read more into it than a word";
	if (/["\\]/.test(arg)) return "quotes and backslashes end up in the source of nginx, and change it";
	const [name, value] = [require_run.nameOf(arg), require_run.valueOf(arg) ?? ""];
	const options = /^--with-[a-z0-9]+-opt$/.test(name);
	if (options && /[;|&<>()]/.test(value)) return "configure passes it to a shell, which would run more than a compiler";
	if (from === "user") return void 0;
	if (arg.includes("'")) return "a shell takes quotes off, and what stands in them is something else then";
	if (!/^--[\w-]+$/.test(name)) return "it has the name of no argument";
	if (TOOLS[name]?.test(value) === false) return "it is no compiler or perl by its name, in a directory of the system";
	if (/^--with-(?:cc|ld)-opt$/.test(name)) return oddOption(value);
	return TOOLS[name] !== void 0 || name === "--build" || PLAIN.test(options ? value.replaceAll(" ", "") : value) ? void 0 : "configure would make more of it than a name or a path";
}
/** What paths, names of users and `Linux::x86_64` are made of. */
const PLAIN = /^[\w./:@+=,~-]*$/;
/** Where only root puts programs: a target must not choose what runs here by its place either. */
const SYSTEM_BIN = String.raw`(?:/(?:usr/(?:local/)?)?bin/)?`;
const TOOLS = {
	"--with-cc": new RegExp(`^${SYSTEM_BIN}(?:[\\w.]+-linux-\\w+-)?(?:cc|gcc|clang)(?:-?[\\d.]+)?$`),
	"--with-cpp": new RegExp(`^${SYSTEM_BIN}(?:[\\w.]+-linux-\\w+-)?cpp(?:-?[\\d.]+)?$`),
	"--with-perl": new RegExp(`^${SYSTEM_BIN}perl(?:-?[\\d.]+)?$`)
};
/** Where only root puts headers and libraries. */
const SYSTEM_PATH = /^\/(?:usr\/(?:local\/)?)?(?:include|lib|lib32|lib64|libx32)(?:\/[\w.+-]+)*\/?$/;
function isSystemPath(path) {
	return SYSTEM_PATH.test(path) && !path.split("/").includes("..");
}
function oddOption(value) {
	const words = value.split(" ").filter((word) => word !== "");
	const odd = words.find((word, at) => !isHarmless(word) && !isPathBehind(words[at - 1], word));
	return odd === void 0 ? void 0 : `${odd} is not among the options and system paths that are taken from a target`;
}
function isPathBehind(option, word) {
	return /^-(?:I|L|isystem)$/.test(option ?? "") && isSystemPath(word);
}
/**
* What the linker is told, each of the words between the commas of `-Wl,` by itself, as the compiler takes them apart; `--` and names
* in full, for it takes any beginning of a name for the name.
*/
const LINKER = new RegExp(`^-(?:${[
	"-(?:no-)?as-needed",
	"-no-undefined",
	"-gc-sections",
	"-sort-common",
	"-export-dynamic",
	"E",
	"O\\d",
	"Bsymbolic(?:-functions)?",
	"-hash-style=\\w+",
	"-build-id(?:=\\w+)?",
	"-(?:en|dis)able-new-dtags",
	"-exclude-libs=\\w+",
	"-compress-debug-sections=\\w+",
	"-package-metadata=[\\w%.:+-]*"
].join("|")})$`);
/** Options whose value is the next word, and what that may be. Libraries are looked for in a run path here and on the target. */
const LINKER_VALUES = [
	[/^-z$/, (value) => /^[\w-]+(?:=\w+)?$/.test(value)],
	[/^--?rpath(?:-link)?$/, isSystemPath],
	[/^--exclude-libs$/, (value) => /^\w+$/.test(value)]
];
function isForLinker([word = "", ...rest]) {
	const [, path] = /^--?rpath(?:-link)?=(.*)$/.exec(word) ?? [];
	const [, isFine] = LINKER_VALUES.find(([option]) => option.test(word)) ?? [];
	const [value = "", ...others] = rest;
	if (isFine !== void 0) return isFine(value) && (others.length === 0 || isForLinker(others));
	return (path === void 0 ? LINKER.test(word) : isSystemPath(path)) && (rest.length === 0 || isForLinker(rest));
}
/** Options of gcc and clang that choose what is generated, and nothing that is run, read or written besides. */
const HARMLESS = [
	/^-(?:g[a-z0-9-]*|O\w*|w|s|pipe|pie|no-pie|pthread|rdynamic|static(?:-\w+)?|shared|std=[\w+:]+|I|L|isystem)$/,
	/^-m(?:arch|tune|cpu|fpu|abi|float-abi|branch-protection)=[\w.+-]+$/,
	/^-m(?:16|32|64|x32|thumb|no-[\w-]+|sse[\w.]*|avx[\w.]*|aes|omit-leaf-frame-pointer)$/,
	/^-f(?:no-)?(?:stack-protector(?:-\w+)?|stack-clash-protection|cf-protection(?:=\w+)?|exceptions|(?:asynchronous-)?unwind-tables|omit-frame-pointer|lto(?:=\w+)?|fat-lto-objects|PIC|pic|PIE|pie|common|strict-aliasing|strict-overflow|wrapv|plt|builtin|semantic-interposition|(?:function|data|debug-types)-sections?|visibility=\w+|trivial-auto-var-init=\w+|zero-call-used-regs=\w+|debug-info-for-profiling|tree-[\w-]+)$/,
	/^-f(?:file|debug|macro)-prefix-map=[\w./+:~-]*=[\w./+:~-]*$/,
	/^-D\w+(?:=\d*)?$|^-U\w+$/,
	/^-l:?[\w.+-]+$/,
	/^-W[\w+=-]*$/,
	/^-Wp(?:,-[DU]\w+(?:=\d*)?)+$/,
	/^-Wa,--(?:no)?execstack$/,
	/^--param=[\w-]+=\d+$/
];
/** Options whose value is read here: headers, libraries, and what a compiler reads as its own configuration. */
const READS = /^(?:-(?:I|L|isystem|specs=))?(\/[^ ]*)$/;
function isHarmless(word) {
	const [, path] = READS.exec(word) ?? [];
	if (path !== void 0) return isSystemPath(path) && (word !== path || path.endsWith(".a"));
	if (word.startsWith("-Wl,")) return isForLinker(word.split(",").slice(1));
	return HARMLESS.some((pattern) => pattern.test(word));
}

// src/build/arguments.ts
/** Where the sources of a module are put, from the directory of nginx's own. The same on every machine: `-V` shows it. */
function placeOf({ name }) {
	return `modules/${name}`;
}
/**
* Turns arguments that were made for another machine into ones that work here: paths that only the builder of the running
* binary had are replaced, or else refused. What can be kept is kept token by token.
*/
function planArgs(wish) {
	const base = wish.base.filter((arg) => !isOmitted(arg, wish.omit)).map((arg) => judge(arg, wish));
	const extra = wish.extra.map((arg) => judge(arg, {
		...wish,
		from: "user"
	}));
	const judged = [...base, ...extra];
	const findings = judged.flatMap(({ finding }) => finding === void 0 ? [] : [finding]);
	if (findings.length > 0) return findings;
	const omitted = wish.base.filter((arg) => isOmitted(arg, wish.omit));
	const placed = wish.modules.filter((source) => judged.some(({ module }) => module === source));
	return {
		args: judged.flatMap(({ became }) => became === null ? [] : [became]),
		changes: [
			...omitted.map((arg) => ({
				arg,
				became: null,
				why: "`omit-configure-args`"
			})),
			...base.filter(({ arg, became }) => arg !== became).map(({ arg, became, why }) => ({
				arg,
				became,
				why
			})),
			...extra.map(({ became }) => ({
				arg: "",
				became,
				why: "`extra-configure-args`"
			}))
		],
		placed,
		unplaced: wish.modules.filter((source) => !placed.includes(source))
	};
}
function isOmitted(arg, omit) {
	return omit.some((word) => word === arg || !word.includes("=") && word === require_run.nameOf(arg));
}
function judge(arg, wish) {
	const [name, value] = [require_run.nameOf(arg), require_run.valueOf(arg)];
	const kept = {
		arg,
		became: arg,
		why: ""
	};
	const danger = unsafeArgument(arg, wish);
	if (danger !== void 0) return {
		...kept,
		finding: unsafe(arg, {
			danger,
			from: wish.from
		})
	};
	if (value === void 0) return kept;
	if (/^--add-(?:dynamic-)?module$/.test(name)) return judgeModule(arg, wish);
	if (name === "--builddir") return {
		arg,
		became: null,
		why: "a directory of the machine that built it"
	};
	if (/^--with-(?:openssl|pcre|zlib|libatomic)$/.test(name)) return {
		...kept,
		finding: bundledLibrary(arg, wish.from)
	};
	if (/^--with-(?:cc|cpp|perl)$/.test(name) && value.startsWith("/") && !wish.exists(programIn(value))) return {
		...kept,
		finding: notHere(arg, {
			path: programIn(value),
			from: wish.from
		})
	};
	const specs = name === "--with-cc-opt" || name === "--with-ld-opt" ? missingSpecs(value, wish.exists) : void 0;
	return specs === void 0 ? kept : {
		...kept,
		finding: notHere(arg, {
			path: specs,
			from: wish.from
		})
	};
}
function judgeModule(arg, { modules, from }) {
	const source = sourceFor(require_run.valueOf(arg) ?? "", modules);
	if (source === void 0) return {
		arg,
		became: arg,
		why: "",
		finding: sourceMissing(arg, from)
	};
	return {
		arg,
		became: `${require_run.nameOf(arg)}=${placeOf(source)}`,
		why: `its sources come from \`add-modules\`: ${source.name}`,
		module: source
	};
}
/** By the whole path, by its last part, or by what is characteristic of both names. */
function sourceFor(path, modules) {
	const last = path.replace(/\/+$/, "").split("/").at(-1) ?? "";
	return modules.find(({ name }) => name === path || name === last) ?? modules.find(({ name }) => require_run.moduleCore(name) !== "" && require_run.moduleCore(name) === require_run.moduleCore(last));
}
/** A compiler may come with options. */
function programIn(command) {
	return command.split(" ", 1)[0] ?? "";
}
/** Distributions keep their hardening in files that come with a package of theirs. */
function missingSpecs(options, exists) {
	return [...options.matchAll(/-specs=(\/\S+)/g)].map(([, path = ""]) => path).find((path) => !exists(path));
}
function sourceMissing(arg, from) {
	const last = (require_run.valueOf(arg) ?? "").replace(/\/+$/, "").split("/").at(-1) ?? "";
	const name = require_run.moduleCore(last) || last || "name";
	return {
		code: "module-source-missing",
		message: `${subject(from)} ${arg}; such a directory belongs to one machine, and \`add-modules\` names no sources for it`,
		fix: `Say where they are: \`add-modules: ${name}=/path/to/sources\`; or leave the module out: \`omit-configure-args: ${arg}\`.`
	};
}
function subject(from) {
	return from === "user" ? "the arguments have" : "the running nginx was built with";
}
function unsafe(arg, { danger, from }) {
	return {
		code: "argument-unsafe",
		message: `${subject(from)} ${arg}: ${danger}`,
		fix: from === "user" ? "Correct it, or leave it out." : `Leave it out (\`omit-configure-args: ${require_run.nameOf(arg)}\`), or say it yourself with \`extra-configure-args\`.`
	};
}
function bundledLibrary(arg, from) {
	return {
		code: "build-path",
		message: `${subject(from)} ${arg}: sources of a library in a directory of one machine`,
		fix: `Build against this machine's library instead: \`omit-configure-args: ${require_run.nameOf(arg)}\`.`
	};
}
function notHere(arg, { path, from }) {
	return {
		code: "build-path",
		message: `${subject(from)} ${arg}, and this machine has no ${path}`,
		fix: `Install what holds it (on RHEL and Fedora redhat-rpm-config), build on the distribution of the host, or leave it out: \`omit-configure-args: ${require_run.nameOf(arg)}\`.`
	};
}

// src/source/signers.ts
/**
* Who may sign a tarball (nginx.org/en/pgp_keys.html; mdounin until 2024). The keys of package repositories
* (nginx_signing.key) are not among them: they sign no tarballs.
*/
const NGINX_SIGNERS = [
	{
		name: "arut",
		fingerprint: "43387825DDB1BB97EC36BA5D007C8D7C15D87369"
	},
	{
		name: "pluknet",
		fingerprint: "D6786CE303D9A9022998DC6CC8464D549AF75C0A"
	},
	{
		name: "thresh",
		fingerprint: "13C82A63B603576156E30A4EA0EA981B66B0D967"
	},
	{
		name: "mdounin",
		fingerprint: "B0F4253373F8F6F510D42178520A9993A1C052F8"
	}
];
/** Keys of nginx's package repositories: told apart from unknown ones where a tarball comes with their signature. */
const REPOSITORY_KEYS = [
	"573BFD6B3D8FBC641079A6ABABF5BD827BD9BF62",
	"8540A6F18833A80E9C1653A42FD21310B49F6B46",
	"9E9BE90EACBCDE69FE9B204CBCDCD8A38D88A2B3"
];
/** The key of a signer as it came with us. One that has expired since may be had anew under the same fingerprint. */
function keyOnBoard({ name, fingerprint }) {
	const keys = require_run.readPublicKeys((0, node_fs.readFileSync)(new URL(`./keys/${name}.asc`, require("url").pathToFileURL(__filename).href), "utf8"));
	const key = typeof keys === "string" ? void 0 : keys.find((each) => each.fingerprint === fingerprint);
	if (key === void 0) throw new Error(`expected the key ${fingerprint} in keys/${name}.asc, found another`);
	return key;
}

// src/source/signature.ts
/** The one detached signature in a file, armored or not; a clause where it is anything else. */
function readSignature(file) {
	const blocks = (file[0] ?? 0) >= 128 ? [file] : require_run.dearmor(file.toString("latin1"), "SIGNATURE");
	if (typeof blocks === "string") return blocks;
	const bytes = Buffer.concat(blocks);
	try {
		const packets = require_run.readPackets(bytes);
		if (packets.some(({ tag }) => tag !== require_run.TAG.signature)) return "expected nothing but a signature, found other packets";
		return packets.length === 1 ? bytes : `expected one signature, found ${packets.length}`;
	} catch (error) {
		if (error instanceof RangeError) return `found a damaged signature: ${require_run.whyDamaged(error)}`;
		throw error;
	}
}
/** Has gpgv check `signature` over the file at `path` against these keys, and nothing else of this machine. */
async function verify(path, given) {
	const dir = await (0, node_fs_promises.mkdtemp)((0, node_path.join)((0, node_os.tmpdir)(), "nginx-hot-upgrade-gpgv-"));
	try {
		const [keyring, detached] = [(0, node_path.join)(dir, "keyring"), (0, node_path.join)(dir, "signature")];
		await (0, node_fs_promises.writeFile)(keyring, Buffer.concat(given.keys.toSorted(require_run.longestFirst).map(({ bytes }) => bytes)), { mode: 384 });
		await (0, node_fs_promises.writeFile)(detached, given.signature, { mode: 384 });
		const said = await gpgv([
			"--homedir",
			dir,
			"--keyring",
			keyring,
			"--status-fd",
			"1",
			detached,
			path
		]);
		return said === void 0 ? { kind: "no-gpgv" } : verdictOf(said);
	} finally {
		await (0, node_fs_promises.rm)(dir, {
			recursive: true,
			force: true
		});
	}
}
async function gpgv(args) {
	const { getExecOutput } = await Promise.resolve().then(() => require("./exec.cjs")).then((n) => n.exec_exports);
	const env = {
		PATH: process.env["PATH"] ?? "",
		LC_ALL: "C"
	};
	try {
		const { stdout } = await getExecOutput("gpgv", args, {
			silent: true,
			ignoreReturnCode: true,
			env
		});
		return stdout;
	} catch (error) {
		if (/Unable to locate executable/.test(String(error))) return void 0;
		throw error;
	}
}
/** Reads gpgv's status lines (GnuPG's doc/DETAILS): only VALIDSIG together with GOODSIG is good. */
function verdictOf(status) {
	const lines = [...status.matchAll(/^\[GNUPG:\] ([A-Z_]+)(?: (.*))?$/gm)];
	const argsOf = (keyword) => lines.find(([, found]) => found === keyword)?.[2]?.split(" ");
	const valid = argsOf("VALIDSIG");
	const fingerprint = valid?.at(-1) ?? "";
	if (argsOf("BADSIG") !== void 0) return {
		kind: "bad",
		why: "it is the signature of another file, or the file was changed"
	};
	if (argsOf("REVKEYSIG") !== void 0) return {
		kind: "bad",
		why: "the key was revoked"
	};
	if (argsOf("EXPSIG") !== void 0) return {
		kind: "bad",
		why: "the signature itself has expired"
	};
	if (argsOf("EXPKEYSIG") !== void 0) return {
		kind: "expired-key",
		fingerprint
	};
	if (argsOf("GOODSIG") !== void 0 && valid !== void 0) return {
		kind: "good",
		fingerprint
	};
	const missing = argsOf("NO_PUBKEY")?.[0];
	if (missing !== void 0) return {
		kind: "unknown-signer",
		key: longest(argsOf("ERRSIG")?.[6], missing)
	};
	const error = argsOf("ERRSIG");
	return {
		kind: "bad",
		why: error === void 0 ? "it cannot be read" : `it cannot be checked (code ${error[5]})`
	};
}
/** An old signature names no fingerprint, only an id. */
function longest(fingerprint, id) {
	return fingerprint === void 0 || fingerprint === "-" ? id : fingerprint;
}

// src/source/release.ts
const DEADLINE = 3e5;
const SOURCE_LIMIT = 67108864;
const SMALL = 1048576;
/** Fetches a release and has it vouched for, before anybody looks into it. Throws Refused. */
async function fetchRelease(version, given) {
	const { mirror, trust } = given;
	const url = require_run.urlOf(mirror, version);
	const bytes = await require_run.fetchBytes(url, {
		what: `the source of nginx ${version}`,
		limit: SOURCE_LIMIT,
		deadline: DEADLINE
	});
	const sha256 = require_run.sha256Of(bytes);
	const digest = trust.sha256 === void 0 ? [] : [checkDigest({
		url,
		sha256,
		wanted: trust.sha256
	})];
	const signed = trust.keys !== void 0 || trust.sha256 === void 0 ? await checkSignature({
		url,
		bytes,
		mirror,
		keys: trust.keys
	}) : void 0;
	return {
		version,
		bytes,
		sha256,
		vouched: [...digest, ...signed === void 0 ? [] : [signed.clause]].join(" and "),
		warnings: signed?.warnings ?? []
	};
}
async function unpackRelease(release, into) {
	await require_run.unpackSource({
		bytes: release.bytes,
		what: `the source of nginx ${release.version}`
	}, into);
}
function checkDigest({ url, sha256, wanted }) {
	if (sha256 === wanted) return `sha256 ${sha256} as given`;
	throw require_run.refuse("digest-mismatch", `${url} has the digest ${sha256}, expected ${wanted}`, `Compare both with the digest that its author publishes. A page that says something else may have been answered instead, or the file was changed.`);
}
/** The signature beside the tarball must be good by one of the keys that count. */
async function checkSignature(signed) {
	const { url, bytes, mirror } = signed;
	const signature = await signatureOf(url);
	const own = signed.keys;
	const keys = own ?? NGINX_SIGNERS.map(keyOnBoard);
	const check = (those) => verifyBytes(bytes, {
		signature,
		keys: those
	});
	let verdict = await check(keys);
	const pinned = own === void 0 ? signerBehind(verdict) : void 0;
	const fetched = pinned === void 0 ? void 0 : await keyFrom(mirror, pinned);
	if (fetched !== void 0) verdict = await check([fetched]);
	else if (pinned !== void 0 && verdict.kind === "unknown-signer") throw keyNotHere(pinned, {
		url,
		mirror
	});
	if (verdict.kind !== "good") throw refusalOf(verdict, {
		url,
		own: own !== void 0
	});
	const { fingerprint } = verdict;
	const key = [...fetched === void 0 ? [] : [fetched], ...keys].toSorted(require_run.longestFirst).find((each) => each.fingerprint === fingerprint);
	if (key === void 0) throw refusalOf({
		kind: "unknown-signer",
		key: fingerprint
	}, {
		url,
		own: own !== void 0
	});
	return {
		clause: `signed by ${key.user} (${fingerprint})`,
		warnings: expiresSoon(key)
	};
}
async function signatureOf(url) {
	const options = {
		what: "the signature of the source",
		limit: SMALL,
		deadline: DEADLINE
	};
	const file = await require_run.fetchOrNothing(`${url}.asc`, options);
	const how = "Mirror the .asc file beside it, or give the digest as `sha256`.";
	if (file === void 0) throw require_run.refuse("signature-missing", `there is no signature at ${url}.asc`, how);
	const signature = readSignature(file);
	if (typeof signature === "string") throw require_run.refuse("signature-bad", `${url}.asc: ${signature}`, how);
	return signature;
}
async function verifyBytes(bytes, given) {
	const dir = await (0, node_fs_promises.mkdtemp)((0, node_path.join)((0, node_os.tmpdir)(), "nginx-hot-upgrade-signed-"));
	try {
		const file = (0, node_path.join)(dir, "file");
		await (0, node_fs_promises.writeFile)(file, bytes, { mode: 384 });
		return await verify(file, given);
	} finally {
		await (0, node_fs_promises.rm)(dir, {
			recursive: true,
			force: true
		});
	}
}
/** A pinned signer whose key is not on board, or has expired there: it may be had anew. */
function signerBehind(verdict) {
	const said = verdict.kind === "unknown-signer" ? verdict.key : verdict.kind === "expired-key" ? verdict.fingerprint : "";
	return said === "" ? void 0 : NGINX_SIGNERS.find(({ fingerprint }) => fingerprint.endsWith(said));
}
/** Accepted only if it is the pinned one, whoever hands it out. */
async function keyFrom({ keys: directory }, { name, fingerprint }) {
	const options = {
		what: `the key of ${name}`,
		limit: SMALL,
		deadline: 6e4
	};
	const file = await require_run.fetchOrNothing(`${directory}${name}.key`, options);
	const keys = file === void 0 ? [] : require_run.readPublicKeys(file.toString("latin1"));
	return typeof keys === "string" ? void 0 : keys.find((key) => key.fingerprint === fingerprint);
}
function keyNotHere({ name, fingerprint }, { url, mirror }) {
	return require_run.refuse("unknown-signer", `${url} is signed by ${name} (${fingerprint}), who signs nginx's releases, but whose key is neither on board nor at ${mirror.keys}${name}.key`, "Put the key there, give it as `trusted-keys`, or give the digest of the tarball as `sha256`.");
}
function refusalOf(verdict, { url, own }) {
	const instead = "or give the digest of the tarball as `sha256`";
	const trusted = own ? "the keys in `trusted-keys`" : "nginx's release signers";
	if (verdict.kind === "bad") {
		const message = `the signature of ${url} is not good: ${verdict.why}`;
		return require_run.refuse("signature-bad", message, `Fetch it again from a mirror that you trust, ${instead}.`);
	}
	if (verdict.kind === "expired-key") {
		const message = `${url} is signed by ${verdict.fingerprint}, a key that has expired`;
		return require_run.refuse("key-expired", message, `Give the renewed key as \`trusted-keys\`, ${instead}.`);
	}
	if (verdict.kind === "no-gpgv") return require_run.refuse("build-dependency", "this machine has no gpgv, which checks the signature of the source", `Install it (Debian, Ubuntu: gpgv; RHEL, Fedora: gnupg2; SUSE: gpg2; Alpine: gnupg), ${instead}.`);
	const who = REPOSITORY_KEYS.some((key) => key.endsWith(verdict.key)) ? `${verdict.key}, a key that signs package repositories and never tarballs` : verdict.key;
	return require_run.refuse("unknown-signer", `${url} is signed by ${who}; expected one of ${trusted}`, `See https://nginx.org/en/pgp_keys.html; give a key that you trust as \`trusted-keys\`, ${instead}.`);
}
const MONTHS_AHEAD = 15552e6;
function expiresSoon({ user, fingerprint, expires }, now = Date.now()) {
	if (expires === void 0 || expires - now > MONTHS_AHEAD) return [];
	return [{
		code: "key-expires",
		message: `the key of ${user} (${fingerprint}) expires on ${new Date(expires).toISOString().slice(0, 10)}; what it signed is refused from then on`,
		fix: "Look for a renewed key, or for a newer release of this action."
	}];
}

// src/build/failure.ts
const NEEDS = [
	{
		sign: /C compiler \S+ is not found|cc: not found|gcc: not found/,
		what: "a C compiler",
		packages: {
			debian: "gcc libc6-dev",
			rhel: "gcc glibc-devel",
			alpine: "gcc musl-dev",
			suse: "gcc glibc-devel"
		}
	},
	{
		sign: /make: not found|Unable to locate executable file: make/,
		what: "make",
		packages: {
			debian: "make",
			rhel: "make",
			alpine: "make",
			suse: "make"
		}
	},
	{
		sign: /requires? the PCRE library|pcre2?\.h: No such file/,
		what: "the PCRE2 library",
		packages: {
			debian: "libpcre2-dev",
			rhel: "pcre2-devel",
			alpine: "pcre2-dev",
			suse: "pcre2-devel"
		}
	},
	{
		sign: /requires? the zlib library|zlib\.h: No such file/,
		what: "the zlib library",
		packages: {
			debian: "zlib1g-dev",
			rhel: "zlib-devel",
			alpine: "zlib-dev",
			suse: "zlib-devel"
		}
	},
	{
		sign: /requires? the OpenSSL library|openssl\/\w+\.h: No such file/,
		what: "the OpenSSL library",
		packages: {
			debian: "libssl-dev",
			rhel: "openssl-devel",
			alpine: "openssl-dev",
			suse: "libopenssl-devel"
		}
	},
	{
		sign: /requires? the libxml2\/libxslt/,
		what: "the libxml2 and libxslt libraries",
		packages: {
			debian: "libxslt1-dev",
			rhel: "libxslt-devel",
			alpine: "libxslt-dev",
			suse: "libxslt-devel"
		}
	},
	{
		sign: /requires? the GD library/,
		what: "the GD library",
		packages: {
			debian: "libgd-dev",
			rhel: "gd-devel",
			alpine: "gd-dev",
			suse: "gd-devel"
		}
	},
	{
		sign: /requires? the GeoIP library/,
		what: "the GeoIP library",
		packages: {
			debian: "libgeoip-dev",
			rhel: "GeoIP-devel",
			alpine: "geoip-dev",
			suse: "libGeoIP-devel"
		}
	},
	{
		sign: /perl module ExtUtils::Embed is required|perl [\d.]+ or higher is required|perl\.h: No such file/,
		what: "perl with its headers",
		packages: {
			debian: "libperl-dev",
			rhel: "perl-devel perl-ExtUtils-Embed",
			alpine: "perl-dev",
			suse: "perl"
		}
	},
	{
		sign: /requires? the Google perftools/,
		what: "gperftools",
		packages: {
			debian: "libgoogle-perftools-dev",
			rhel: "gperftools-devel",
			alpine: "gperftools-dev",
			suse: "gperftools-devel"
		}
	},
	{
		sign: /libatomic_ops/,
		what: "libatomic_ops",
		packages: {
			debian: "libatomic-ops-dev",
			rhel: "libatomic_ops-devel",
			alpine: "libatomic_ops-dev",
			suse: "libatomic_ops-devel"
		}
	},
	{
		sign: /requires the maxminddb library|maxminddb\.h: No such file|cannot find -lmaxminddb/,
		what: "libmaxminddb",
		packages: {
			debian: "libmaxminddb-dev",
			rhel: "libmaxminddb-devel",
			alpine: "libmaxminddb-dev",
			suse: "libmaxminddb-devel"
		}
	},
	{
		sign: /requires (?:the )?Lua|(?:lua|luajit|lualib|lauxlib)\.h: No such file|cannot find -lluajit/,
		what: "LuaJIT",
		packages: {
			debian: "libluajit-5.1-dev",
			rhel: "luajit-devel",
			alpine: "luajit-dev",
			suse: "luajit-devel"
		}
	}
];
const FAMILIES = [
	[
		"debian",
		"Debian, Ubuntu",
		/debian|ubuntu/
	],
	[
		"rhel",
		"RHEL, Fedora",
		/rhel|fedora|centos|amzn|rocky|alma/
	],
	[
		"alpine",
		"Alpine",
		/alpine/
	],
	[
		"suse",
		"SUSE",
		/suse|sles/
	]
];
/** What was decisive, and what would help: the missing package under its name on each distribution, this one first. */
function explainFailure({ step, output, osRelease }) {
	const lines = decisiveLines(output);
	const need = NEEDS.find(({ sign }) => sign.test(lines.join("\n")));
	const said = lines.join(" | ").slice(0, 1500);
	if (need === void 0) return {
		code: "build-failed",
		message: `${step} failed: ${said}`,
		fix: adviceFor(output)
	};
	return {
		code: "build-dependency",
		message: `this machine has not what the arguments need: ${need.what}. ${step} said: ${said}`,
		fix: `Install it: ${packagesOf(need, osRelease)}.`
	};
}
function packagesOf({ packages }, osRelease) {
	const here = (osRelease.match(/^ID(?:_LIKE)?=.*$/gm) ?? []).join(" ").toLowerCase();
	return FAMILIES.toSorted(([, , a], [, , b]) => Number(b.test(here)) - Number(a.test(here))).map(([family, name]) => `${packages[family]} (${name})`).join(", ");
}
function adviceFor(output) {
	const invalid = /invalid option "([^"]+)"/.exec(output)?.[1];
	if (invalid !== void 0) return `This version of nginx does not know ${invalid} any more: \`omit-configure-args: ${invalid}\`.`;
	if (/require OpenSSL QUIC support/.test(output)) return "The OpenSSL of this machine cannot do QUIC: `omit-configure-args: --with-http_v3_module`.";
	if (/-Werror|\[-Werror/.test(output)) return "A newer compiler's warning stops the build: build on the distribution of the host, or add -Wno-error to --with-cc-opt.";
	return "The whole output is in the log above.";
}
const DECISIVE = /error[: ]|Error \d|undefined reference|No such file|not found|cannot find|requires? the /i;
/** The last lines that tell of an error; where none does, the last ones. */
function decisiveLines(output) {
	const lines = output.split("\n").map((line) => line.trim()).filter((line) => line !== "" && !/^checking for .* not found$/.test(line));
	const telling = lines.filter((line) => DECISIVE.test(line) && !/^(?:cc|gcc|clang) -/.test(line));
	return (telling.length > 0 ? telling : lines).slice(-8);
}

// src/build/build.ts
/** Builds in a private directory, of which nothing shows in the result. Throws Refused (`build-failed`, `build-dependency`). */
async function build(order) {
	const tree = await (0, node_fs_promises.mkdtemp)((0, node_path.join)(scratch(), "nginx-build-"));
	try {
		await unpackRelease(order.release, tree);
		for (const module of [...order.placed, ...order.unplaced]) await module.placeAt((0, node_path.join)(tree, placeOf(module.source)));
		await order.log.group(`build nginx ${order.release.version}`, () => compile(order, tree));
		return await collect(order, tree);
	} finally {
		await (0, node_fs_promises.rm)(tree, {
			recursive: true,
			force: true
		});
	}
}
/** configure and make do not get along with blanks in a path. */
function scratch(given = process.env["RUNNER_TEMP"]) {
	return given === void 0 || given === "" || /\s/.test(given) ? (0, node_os.tmpdir)() : given;
}
const EXTRA = "objs-modules";
async function compile(order, tree) {
	const jobs = `-j${(0, node_os.availableParallelism)()}`;
	await step("configure", {
		words: [
			"sh",
			"./configure",
			...order.args
		],
		order,
		tree
	});
	await step("make", {
		words: ["make", jobs],
		order,
		tree
	});
	if (order.unplaced.length === 0) return;
	const added = order.unplaced.map(({ source }) => `--add-dynamic-module=${placeOf(source)}`);
	await step("configure", {
		words: [
			"sh",
			"./configure",
			...order.args.filter((arg) => !arg.startsWith("--builddir=")),
			...added,
			`--builddir=${EXTRA}`
		],
		order,
		tree
	});
	await step("make", {
		words: [
			"make",
			jobs,
			"-f",
			`${EXTRA}/Makefile`,
			"modules"
		],
		order,
		tree
	});
}
/** Its output goes into the folded log; what was decisive in it, into the error. */
async function step(name, { words: [program = "", ...args], order, tree }) {
	const { toolchain, log } = order;
	const env = {
		...require_run.cleanEnvironment(),
		CC: ["cc", toolchain.prefixMap(tree)].filter(Boolean).join(" ")
	};
	let output = "";
	const take = (line) => {
		output += `${line}\n`;
		log.detail(line);
	};
	if (await require_exec.exec(program, args, {
		cwd: tree,
		env,
		silent: true,
		ignoreReturnCode: true,
		listeners: {
			stdline: take,
			errline: take
		}
	}).catch((error) => {
		output += require_errors.messageOf(error);
		return 127;
	}) !== 0) throw new require_errors.Refused([explainFailure({
		step: name,
		output,
		osRelease: toolchain.osRelease
	})]);
}
async function collect({ args, release }, tree) {
	const objects = (0, node_path.join)(tree, require_run.valueIn(args, "--builddir") ?? "objs");
	const program = (0, node_path.join)(objects, "nginx");
	await (0, node_fs_promises.chmod)(program, 493);
	const said = require_run.parseBuildInfo(await saidBy(program));
	if (said.version !== release.version || require_run.printArgs(said.arguments) !== require_run.printArgs(args)) {
		const message = `the new nginx says ${said.version} with ${require_run.printArgs(said.arguments)}; expected ${release.version} with ${require_run.printArgs(args)}`;
		throw new require_errors.Refused([{
			code: "build-failed",
			message,
			fix: "Report this: the arguments were not taken as they were given."
		}]);
	}
	return {
		nginx: await (0, node_fs_promises.readFile)(program),
		modules: [...await modulesIn(objects), ...await modulesIn((0, node_path.join)(tree, EXTRA))]
	};
}
/** `nginx -V` writes to the error stream. */
async function saidBy(program) {
	return require_run.runTool([
		"sh",
		"-c",
		"\"$1\" -V 2>&1",
		"sh",
		program
	]);
}
async function modulesIn(directory) {
	const files = (await (0, node_fs_promises.readdir)(directory).catch(() => [])).filter((name) => name.endsWith(".so")).map((name) => (0, node_path.join)(directory, name));
	return Promise.all(files.map(async (file) => ({
		name: (0, node_path.basename)(file),
		bytes: await (0, node_fs_promises.readFile)(file)
	})));
}

// src/build/loaded-modules.ts
/**
* Of the modules that a configuration loads, those that a build would not give: another version refuses the old files
* (ngx_add_module), and the configuration with them. Undefined where there are none, or where a source's name does not
* tell what comes of it.
*/
function sourcesMissing(loaded, plan) {
	const own = ownModules(plan.args);
	const foreign = loaded.filter((path) => !own.has((0, node_path.basename)(path)));
	const sources = [...plan.placed, ...plan.unplaced];
	const fits = (path, source) => require_run.moduleCore(source) === require_run.moduleCore(path);
	const missing = foreign.filter((path) => !sources.some(({ name }) => fits(path, name)));
	const linked = new Set(plan.args.filter((arg) => require_run.nameOf(arg) === "--add-module").map(require_run.valueOf));
	const enigmatic = sources.some((source) => !linked.has(placeOf(source)) && !foreign.some((path) => fits(path, source.name)));
	if (missing.length === 0 || enigmatic) return void 0;
	const lines = missing.map((path) => `\`${require_run.moduleCore(path) || (0, node_path.basename)(path, ".so")}=/path/to/sources\``);
	return {
		code: "module-source-missing",
		message: `the configuration loads ${missing.join(", ")}; the new version refuses a module of the old one, and nothing says where its sources are`,
		fix: `Say it with \`add-modules\`: ${lines.join(", ")}; or take its \`load_module\` out of the configuration.`
	};
}
/** `--with-stream=dynamic` makes ngx_stream_module.so, `--with-http_xslt_module=dynamic` ngx_http_xslt_filter_module.so. */
function ownModules(args) {
	const cores = args.filter((arg) => require_run.valueOf(arg) === "dynamic").map(require_run.nameOf).map((name) => name.replace(/^--with-/, "").replace(/_module$/, ""));
	return new Set(cores.flatMap((core) => [`ngx_${core}_module.so`, `ngx_${core}_filter_module.so`]));
}

// src/build/third-party.ts
const LIMIT = 268435456;
/** Reads a directory or an archive, fetches it where it is a URL. Throws Refused. */
async function readModule(source) {
	if (!/^https:\/\//i.test(source.from) && (await (0, node_fs_promises.stat)(source.from)).isDirectory()) return directoryTree(source);
	const what = `the source of the module ${source.name}`;
	const url = /^https:\/\//i.test(source.from) ? source.from : (0, node_url.pathToFileURL)(source.from).href;
	const bytes = await require_run.fetchBytes(url, {
		what,
		limit: LIMIT,
		deadline: 3e5
	});
	const digest = require_run.sha256Of(bytes);
	if (source.sha256 !== void 0 && source.sha256 !== digest) throw require_run.refuse("digest-mismatch", `${source.from} has the digest ${digest}, expected ${source.sha256}`, "Compare both with what its author publishes.");
	if (require_run.kindOf(bytes) === void 0) throw require_run.refuse("archive-unsafe", `${source.from} is no archive`, "Give a directory, a .tar.gz or a .tar.xz.");
	return {
		source,
		digest,
		placeAt: async (directory) => {
			await (0, node_fs_promises.mkdir)(directory, { recursive: true });
			await require_run.unpackSource({
				bytes,
				what
			}, directory);
		}
	};
}
async function directoryTree(source) {
	return {
		source,
		digest: await digestOfTree(source.from),
		placeAt: (directory) => (0, node_fs_promises.cp)(source.from, directory, {
			recursive: true,
			verbatimSymlinks: true,
			filter: (path) => (0, node_path.basename)(path) !== ".git"
		})
	};
}
/** Where it leads, and what is there: both decide what is built. */
async function behindLink(path) {
	const target = await (0, node_fs_promises.readlink)(path);
	const content = await (0, node_fs_promises.readFile)(path).catch(() => Buffer.alloc(0));
	return Buffer.concat([Buffer.from(`-> ${target}\0`), content]);
}
/** Of names and contents; what a version control keeps beside them does not count. */
async function digestOfTree(root) {
	const hash = (0, node_crypto.createHash)("sha256");
	const counting = (await (0, node_fs_promises.readdir)(root, {
		recursive: true,
		withFileTypes: true
	})).filter((entry) => entry.isFile() || entry.isSymbolicLink()).map((entry) => ({
		path: (0, node_path.join)(entry.parentPath, entry.name),
		link: entry.isSymbolicLink()
	})).filter(({ path }) => !(0, node_path.relative)(root, path).split(node_path.sep).includes(".git"));
	for (const { path, link } of counting.toSorted((a, b) => a.path < b.path ? -1 : 1)) {
		const bytes = link ? await behindLink(path) : await (0, node_fs_promises.readFile)(path);
		hash.update(`${(0, node_path.relative)(root, path)}\0${bytes.length}\0`).update(bytes);
	}
	return hash.digest("hex");
}

// src/build/toolchain.ts
/** Headers whose versions show in what is compiled. */
const HEADERS = [
	"openssl/opensslv.h",
	"pcre2.h",
	"pcre.h",
	"zlib.h",
	"libxslt/xsltconfig.h",
	"gd.h",
	"GeoIP.h"
];
/** Asks compiler, linker and preprocessor. Whatever is missing is left for `configure` to name. */
async function readToolchain() {
	const osRelease = await (0, node_fs_promises.readFile)("/etc/os-release", "utf8").catch(() => "");
	const [compiler, linker, headers, flag] = await Promise.all([
		run(["cc", "-v"]),
		run(["ld", "--version"]),
		headerTexts(),
		run([
			"cc",
			"-ffile-prefix-map=a=b",
			"-E",
			"-x",
			"c",
			"/dev/null"
		])
	]);
	return {
		fingerprint: [
			osRelease.match(/^(?:ID|VERSION_ID)=.*$/gm)?.join(" ") ?? "",
			process.arch,
			compiler.said,
			linker.said,
			headers
		].join("\n"),
		prefixMap: (directory) => flag.code === 0 ? `-ffile-prefix-map=${directory}=.` : "",
		osRelease
	};
}
/** What the compiler sees of the libraries that nginx is built against. */
async function headerTexts() {
	const directory = await (0, node_fs_promises.mkdtemp)((0, node_path.join)((0, node_os.tmpdir)(), "nginx-hot-upgrade-headers-"));
	try {
		const file = (0, node_path.join)(directory, "headers.c");
		await (0, node_fs_promises.writeFile)(file, "#define PCRE2_CODE_UNIT_WIDTH 8\n" + HEADERS.map((name) => `#if __has_include(<${name}>)\n#include <${name}>\n#endif\n`).join(""));
		return (await run([
			"cc",
			"-E",
			"-P",
			file
		])).stdout;
	} finally {
		await (0, node_fs_promises.rm)(directory, {
			recursive: true,
			force: true
		});
	}
}
async function run([program = "", ...args]) {
	const options = {
		silent: true,
		ignoreReturnCode: true,
		env: require_run.cleanEnvironment()
	};
	const ended = await require_exec.getExecOutput(program, args, options).catch(() => void 0);
	if (ended === void 0) return {
		code: 127,
		stdout: "",
		said: ""
	};
	return {
		code: ended.exitCode,
		stdout: ended.stdout,
		said: ended.stdout + ended.stderr
	};
}

// src/nginx/args-diff.ts
/** The arguments in which two lists differ, and how many they share. Order does not count, values and repetitions do. */
function diffArgs(running, next) {
	const left = [...next];
	const gone = [];
	for (const arg of running) {
		const at = left.indexOf(arg);
		if (at < 0) gone.push(arg);
		else left.splice(at, 1);
	}
	const rows = gone.map((arg) => {
		const at = left.findIndex((other) => require_run.nameOf(other) === require_run.nameOf(arg));
		const [other] = at < 0 ? [null] : left.splice(at, 1);
		return {
			name: require_run.nameOf(arg),
			running: arg,
			next: other ?? null
		};
	});
	const added = left.map((arg) => ({
		name: require_run.nameOf(arg),
		running: null,
		next: arg
	}));
	return {
		rows: [...rows, ...added],
		same: running.length - gone.length
	};
}
/** The difference as lines for people: what runs, and what comes in its place. */
function diffLines({ rows, same }) {
	if (rows.length === 0) return [`configure arguments: all ${same} are the same`];
	const shown = (arg) => arg === null ? "–" : require_run.printArgs([arg]);
	return [`configure arguments: ${same} the same, ${rows.length} different (running → new)`, ...rows.map(({ running, next }) => `  ${shown(running)} → ${shown(next)}`)];
}

// src/obtain/workshop.ts
/** Builds nginx, once for each set of arguments. */
function openWorkshop(source, options) {
	const built = /* @__PURE__ */ new Map();
	const bench = require_run.once(() => prepare(source));
	const jobFor = async (master) => {
		const plan = planFor(source, master);
		refuseLostModules(plan, {
			master,
			version: (await bench()).version
		});
		return {
			bench: await bench(),
			plan,
			key: require_run.keyOf(partsOf(await bench(), plan)),
			log: options.log
		};
	};
	return {
		for: async (master) => {
			const job = await jobFor(master);
			const known = built.get(job.key);
			if (known !== void 0) return known;
			tell(job, master);
			const made = obtain(job);
			built.set(job.key, made);
			return made;
		},
		atHand: async (master) => {
			const job = await jobFor(master);
			tell(job, master);
			const entry = await require_run.findEntry(job.bench.version, job.key);
			return entry === void 0 ? void 0 : require_run.newBinary(entry);
		}
	};
}
async function prepare(source) {
	const [version, toolchain, modules] = await Promise.all([
		require_run.resolveVersion(source.wish, source.mirror),
		readToolchain(),
		Promise.all(source.modules.map(readModule))
	]);
	return {
		version,
		toolchain,
		modules,
		release: require_run.once(() => fetchRelease(version, source))
	};
}
/** Throws Refused where the running binary cannot be followed. */
function planFor(source, master) {
	const inherited = source.arguments === "inherit";
	if (inherited && master !== null) refuseStranger(master);
	const base = source.arguments === "inherit" ? require_run.parseBuildInfo(master?.build ?? "").arguments : source.arguments;
	const from = inherited ? "target" : "user";
	const { extra, omit, modules } = source;
	const plan = planArgs({
		base,
		from,
		extra,
		omit,
		modules,
		exists: node_fs.existsSync
	});
	if (Array.isArray(plan)) throw new require_errors.Refused(plan);
	return plan;
}
function refuseLostModules(plan, { master, version }) {
	if (master === null || require_run.parseBuildInfo(master.build).version === version) return;
	const finding = sourcesMissing(master.modules, plan);
	if (finding !== void 0) throw new require_errors.Refused([finding]);
}
/** nginx's sources do not make another server, and this machine's compiler no program for another processor. */
function refuseStranger(master) {
	const { flavour } = require_run.parseBuildInfo(master.build);
	if (flavour !== "nginx") throw require_run.refuse("flavour-differs", `the running server is ${flavour || "unknown"}; what can be built from nginx's sources does not take over its sockets`, "Build its next version in an earlier step and give it as `binary`.");
}
function partsOf({ version, toolchain, modules }, plan) {
	return {
		builder: builderDigest(),
		version,
		arguments: plan.args,
		modules: modules.map(({ source: { name }, digest }) => [name, digest]),
		platform: `${(0, node_os.machine)()} ${process.platform}`,
		toolchain: toolchain.fingerprint
	};
}
/** Another way to build may make other bytes of the same parts. */
function builderDigest() {
	return require_run.keyOf({ program: (0, node_fs.readFileSync)((0, node_url.fileURLToPath)(require("url").pathToFileURL(__filename).href), "utf8") });
}
async function obtain({ bench, plan, key, log }) {
	const { version, toolchain } = bench;
	const known = await require_run.findEntry(version, key);
	if (known !== void 0) {
		log.info(`nginx ${version} comes from the cache (${known.path})`);
		return require_run.newBinary(known);
	}
	const release = await bench.release();
	for (const { message, fix } of release.warnings) log.warning(`${message}. ${fix}`);
	log.info(`nginx ${version}: ${release.vouched}`);
	const treesOf = (sources) => bench.modules.filter(({ source }) => sources.includes(source));
	const [placed, unplaced] = [treesOf(plan.placed), treesOf(plan.unplaced)];
	const start = performance.now();
	const built = await build({
		release,
		args: plan.args,
		placed,
		unplaced,
		toolchain,
		log
	});
	log.info(`built nginx ${version} in ${((performance.now() - start) / 1e3).toFixed(1)} s`);
	return require_run.newBinary(await require_run.storeEntry(built, {
		version,
		key
	}));
}
/** What became of the running binary's arguments. */
function tell({ plan, log }, master) {
	if (master !== null) for (const line of diffLines(diffArgs(require_run.parseBuildInfo(master.build).arguments, plan.args))) log.info(line);
	for (const { arg, became, why } of plan.changes) log.info(`  ${arg || "(new)"} → ${became ?? "left out"}: ${why}`);
}

exports.openWorkshop = openWorkshop;
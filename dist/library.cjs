const require_rolldown_runtime = require("./rolldown-runtime.cjs");
const require_lib$1 = require("./lib.cjs");
const require_run = require("./run.cjs");
const require_socket = require("./socket.cjs");
let fs = require("fs");
fs = require_rolldown_runtime.__toESM(fs, 1);
let path = require("path");
path = require_rolldown_runtime.__toESM(path, 1);
let assert = require("assert");
assert = require_rolldown_runtime.__toESM(assert, 1);
let node_stream = require("node:stream");
let node_timers_promises = require("node:timers/promises");

// node_modules/is-stream/index.js
var require_is_stream = /* @__PURE__ */ require_rolldown_runtime.__commonJSMin(((exports, module) => {
	const isStream = (stream) => stream !== null && typeof stream === "object" && typeof stream.pipe === "function";
	isStream.writable = (stream) => isStream(stream) && stream.writable !== false && typeof stream._write === "function" && typeof stream._writableState === "object";
	isStream.readable = (stream) => isStream(stream) && stream.readable !== false && typeof stream._read === "function" && typeof stream._readableState === "object";
	isStream.duplex = (stream) => isStream.writable(stream) && isStream.readable(stream);
	isStream.transform = (stream) => isStream.duplex(stream) && typeof stream._transform === "function";
	module.exports = isStream;
}));

// node_modules/make-dir/node_modules/semver/semver.js
var require_semver = /* @__PURE__ */ require_rolldown_runtime.__commonJSMin(((exports, module) => {
	exports = module.exports = SemVer;
	var debug;
	/* istanbul ignore next */
	if (typeof process === "object" && process.env && process.env.NODE_DEBUG && /\bsemver\b/i.test(process.env.NODE_DEBUG)) debug = function() {
		var args = Array.prototype.slice.call(arguments, 0);
		args.unshift("SEMVER");
		console.log.apply(console, args);
	};
	else debug = function() {};
	exports.SEMVER_SPEC_VERSION = "2.0.0";
	var MAX_LENGTH = 256;
	var MAX_SAFE_INTEGER = Number.MAX_SAFE_INTEGER || 
	/* istanbul ignore next */ 9007199254740991;
	var MAX_SAFE_COMPONENT_LENGTH = 16;
	var MAX_SAFE_BUILD_LENGTH = MAX_LENGTH - 6;
	var re = exports.re = [];
	var safeRe = exports.safeRe = [];
	var src = exports.src = [];
	var t = exports.tokens = {};
	var R = 0;
	function tok(n) {
		t[n] = R++;
	}
	var LETTERDASHNUMBER = "[a-zA-Z0-9-]";
	var safeRegexReplacements = [
		["\\s", 1],
		["\\d", MAX_LENGTH],
		[LETTERDASHNUMBER, MAX_SAFE_BUILD_LENGTH]
	];
	function makeSafeRe(value) {
		for (var i = 0; i < safeRegexReplacements.length; i++) {
			var token = safeRegexReplacements[i][0];
			var max = safeRegexReplacements[i][1];
			value = value.split(token + "*").join(token + "{0," + max + "}").split(token + "+").join(token + "{1," + max + "}");
		}
		return value;
	}
	tok("NUMERICIDENTIFIER");
	src[t.NUMERICIDENTIFIER] = "0|[1-9]\\d*";
	tok("NUMERICIDENTIFIERLOOSE");
	src[t.NUMERICIDENTIFIERLOOSE] = "\\d+";
	tok("NONNUMERICIDENTIFIER");
	src[t.NONNUMERICIDENTIFIER] = "\\d*[a-zA-Z-]" + LETTERDASHNUMBER + "*";
	tok("MAINVERSION");
	src[t.MAINVERSION] = "(" + src[t.NUMERICIDENTIFIER] + ")\\.(" + src[t.NUMERICIDENTIFIER] + ")\\.(" + src[t.NUMERICIDENTIFIER] + ")";
	tok("MAINVERSIONLOOSE");
	src[t.MAINVERSIONLOOSE] = "(" + src[t.NUMERICIDENTIFIERLOOSE] + ")\\.(" + src[t.NUMERICIDENTIFIERLOOSE] + ")\\.(" + src[t.NUMERICIDENTIFIERLOOSE] + ")";
	tok("PRERELEASEIDENTIFIER");
	src[t.PRERELEASEIDENTIFIER] = "(?:" + src[t.NUMERICIDENTIFIER] + "|" + src[t.NONNUMERICIDENTIFIER] + ")";
	tok("PRERELEASEIDENTIFIERLOOSE");
	src[t.PRERELEASEIDENTIFIERLOOSE] = "(?:" + src[t.NUMERICIDENTIFIERLOOSE] + "|" + src[t.NONNUMERICIDENTIFIER] + ")";
	tok("PRERELEASE");
	src[t.PRERELEASE] = "(?:-(" + src[t.PRERELEASEIDENTIFIER] + "(?:\\." + src[t.PRERELEASEIDENTIFIER] + ")*))";
	tok("PRERELEASELOOSE");
	src[t.PRERELEASELOOSE] = "(?:-?(" + src[t.PRERELEASEIDENTIFIERLOOSE] + "(?:\\." + src[t.PRERELEASEIDENTIFIERLOOSE] + ")*))";
	tok("BUILDIDENTIFIER");
	src[t.BUILDIDENTIFIER] = LETTERDASHNUMBER + "+";
	tok("BUILD");
	src[t.BUILD] = "(?:\\+(" + src[t.BUILDIDENTIFIER] + "(?:\\." + src[t.BUILDIDENTIFIER] + ")*))";
	tok("FULL");
	tok("FULLPLAIN");
	src[t.FULLPLAIN] = "v?" + src[t.MAINVERSION] + src[t.PRERELEASE] + "?" + src[t.BUILD] + "?";
	src[t.FULL] = "^" + src[t.FULLPLAIN] + "$";
	tok("LOOSEPLAIN");
	src[t.LOOSEPLAIN] = "[v=\\s]*" + src[t.MAINVERSIONLOOSE] + src[t.PRERELEASELOOSE] + "?" + src[t.BUILD] + "?";
	tok("LOOSE");
	src[t.LOOSE] = "^" + src[t.LOOSEPLAIN] + "$";
	tok("GTLT");
	src[t.GTLT] = "((?:<|>)?=?)";
	tok("XRANGEIDENTIFIERLOOSE");
	src[t.XRANGEIDENTIFIERLOOSE] = src[t.NUMERICIDENTIFIERLOOSE] + "|x|X|\\*";
	tok("XRANGEIDENTIFIER");
	src[t.XRANGEIDENTIFIER] = src[t.NUMERICIDENTIFIER] + "|x|X|\\*";
	tok("XRANGEPLAIN");
	src[t.XRANGEPLAIN] = "[v=\\s]*(" + src[t.XRANGEIDENTIFIER] + ")(?:\\.(" + src[t.XRANGEIDENTIFIER] + ")(?:\\.(" + src[t.XRANGEIDENTIFIER] + ")(?:" + src[t.PRERELEASE] + ")?" + src[t.BUILD] + "?)?)?";
	tok("XRANGEPLAINLOOSE");
	src[t.XRANGEPLAINLOOSE] = "[v=\\s]*(" + src[t.XRANGEIDENTIFIERLOOSE] + ")(?:\\.(" + src[t.XRANGEIDENTIFIERLOOSE] + ")(?:\\.(" + src[t.XRANGEIDENTIFIERLOOSE] + ")(?:" + src[t.PRERELEASELOOSE] + ")?" + src[t.BUILD] + "?)?)?";
	tok("XRANGE");
	src[t.XRANGE] = "^" + src[t.GTLT] + "\\s*" + src[t.XRANGEPLAIN] + "$";
	tok("XRANGELOOSE");
	src[t.XRANGELOOSE] = "^" + src[t.GTLT] + "\\s*" + src[t.XRANGEPLAINLOOSE] + "$";
	tok("COERCE");
	src[t.COERCE] = "(^|[^\\d])(\\d{1," + MAX_SAFE_COMPONENT_LENGTH + "})(?:\\.(\\d{1," + MAX_SAFE_COMPONENT_LENGTH + "}))?(?:\\.(\\d{1," + MAX_SAFE_COMPONENT_LENGTH + "}))?(?:$|[^\\d])";
	tok("COERCERTL");
	re[t.COERCERTL] = new RegExp(src[t.COERCE], "g");
	safeRe[t.COERCERTL] = new RegExp(makeSafeRe(src[t.COERCE]), "g");
	tok("LONETILDE");
	src[t.LONETILDE] = "(?:~>?)";
	tok("TILDETRIM");
	src[t.TILDETRIM] = "(\\s*)" + src[t.LONETILDE] + "\\s+";
	re[t.TILDETRIM] = new RegExp(src[t.TILDETRIM], "g");
	safeRe[t.TILDETRIM] = new RegExp(makeSafeRe(src[t.TILDETRIM]), "g");
	var tildeTrimReplace = "$1~";
	tok("TILDE");
	src[t.TILDE] = "^" + src[t.LONETILDE] + src[t.XRANGEPLAIN] + "$";
	tok("TILDELOOSE");
	src[t.TILDELOOSE] = "^" + src[t.LONETILDE] + src[t.XRANGEPLAINLOOSE] + "$";
	tok("LONECARET");
	src[t.LONECARET] = "(?:\\^)";
	tok("CARETTRIM");
	src[t.CARETTRIM] = "(\\s*)" + src[t.LONECARET] + "\\s+";
	re[t.CARETTRIM] = new RegExp(src[t.CARETTRIM], "g");
	safeRe[t.CARETTRIM] = new RegExp(makeSafeRe(src[t.CARETTRIM]), "g");
	var caretTrimReplace = "$1^";
	tok("CARET");
	src[t.CARET] = "^" + src[t.LONECARET] + src[t.XRANGEPLAIN] + "$";
	tok("CARETLOOSE");
	src[t.CARETLOOSE] = "^" + src[t.LONECARET] + src[t.XRANGEPLAINLOOSE] + "$";
	tok("COMPARATORLOOSE");
	src[t.COMPARATORLOOSE] = "^" + src[t.GTLT] + "\\s*(" + src[t.LOOSEPLAIN] + ")$|^$";
	tok("COMPARATOR");
	src[t.COMPARATOR] = "^" + src[t.GTLT] + "\\s*(" + src[t.FULLPLAIN] + ")$|^$";
	tok("COMPARATORTRIM");
	src[t.COMPARATORTRIM] = "(\\s*)" + src[t.GTLT] + "\\s*(" + src[t.LOOSEPLAIN] + "|" + src[t.XRANGEPLAIN] + ")";
	re[t.COMPARATORTRIM] = new RegExp(src[t.COMPARATORTRIM], "g");
	safeRe[t.COMPARATORTRIM] = new RegExp(makeSafeRe(src[t.COMPARATORTRIM]), "g");
	tok("HYPHENRANGE");
	src[t.HYPHENRANGE] = "^\\s*(" + src[t.XRANGEPLAIN] + ")\\s+-\\s+(" + src[t.XRANGEPLAIN] + ")\\s*$";
	tok("HYPHENRANGELOOSE");
	src[t.HYPHENRANGELOOSE] = "^\\s*(" + src[t.XRANGEPLAINLOOSE] + ")\\s+-\\s+(" + src[t.XRANGEPLAINLOOSE] + ")\\s*$";
	tok("STAR");
	src[t.STAR] = "(<|>)?=?\\s*\\*";
	for (var i = 0; i < R; i++) {
		debug(i, src[i]);
		if (!re[i]) {
			re[i] = new RegExp(src[i]);
			safeRe[i] = new RegExp(makeSafeRe(src[i]));
		}
	}
	exports.parse = parse;
	function parse(version, options) {
		if (!options || typeof options !== "object") options = {
			loose: !!options,
			includePrerelease: false
		};
		if (version instanceof SemVer) return version;
		if (typeof version !== "string") return null;
		if (version.length > MAX_LENGTH) return null;
		if (!(options.loose ? safeRe[t.LOOSE] : safeRe[t.FULL]).test(version)) return null;
		try {
			return new SemVer(version, options);
		} catch (er) {
			return null;
		}
	}
	exports.valid = valid;
	function valid(version, options) {
		var v = parse(version, options);
		return v ? v.version : null;
	}
	exports.clean = clean;
	function clean(version, options) {
		var s = parse(version.trim().replace(/^[=v]+/, ""), options);
		return s ? s.version : null;
	}
	exports.SemVer = SemVer;
	function SemVer(version, options) {
		if (!options || typeof options !== "object") options = {
			loose: !!options,
			includePrerelease: false
		};
		if (version instanceof SemVer) {
			if (version.loose === options.loose) return version;
			else version = version.version;
		} else if (typeof version !== "string") throw new TypeError("Invalid Version: " + version);
		if (version.length > MAX_LENGTH) throw new TypeError("version is longer than " + MAX_LENGTH + " characters");
		if (!(this instanceof SemVer)) return new SemVer(version, options);
		debug("SemVer", version, options);
		this.options = options;
		this.loose = !!options.loose;
		var m = version.trim().match(options.loose ? safeRe[t.LOOSE] : safeRe[t.FULL]);
		if (!m) throw new TypeError("Invalid Version: " + version);
		this.raw = version;
		this.major = +m[1];
		this.minor = +m[2];
		this.patch = +m[3];
		if (this.major > MAX_SAFE_INTEGER || this.major < 0) throw new TypeError("Invalid major version");
		if (this.minor > MAX_SAFE_INTEGER || this.minor < 0) throw new TypeError("Invalid minor version");
		if (this.patch > MAX_SAFE_INTEGER || this.patch < 0) throw new TypeError("Invalid patch version");
		if (!m[4]) this.prerelease = [];
		else this.prerelease = m[4].split(".").map(function(id) {
			if (/^[0-9]+$/.test(id)) {
				var num = +id;
				if (num >= 0 && num < MAX_SAFE_INTEGER) return num;
			}
			return id;
		});
		this.build = m[5] ? m[5].split(".") : [];
		this.format();
	}
	SemVer.prototype.format = function() {
		this.version = this.major + "." + this.minor + "." + this.patch;
		if (this.prerelease.length) this.version += "-" + this.prerelease.join(".");
		return this.version;
	};
	SemVer.prototype.toString = function() {
		return this.version;
	};
	SemVer.prototype.compare = function(other) {
		debug("SemVer.compare", this.version, this.options, other);
		if (!(other instanceof SemVer)) other = new SemVer(other, this.options);
		return this.compareMain(other) || this.comparePre(other);
	};
	SemVer.prototype.compareMain = function(other) {
		if (!(other instanceof SemVer)) other = new SemVer(other, this.options);
		return compareIdentifiers(this.major, other.major) || compareIdentifiers(this.minor, other.minor) || compareIdentifiers(this.patch, other.patch);
	};
	SemVer.prototype.comparePre = function(other) {
		if (!(other instanceof SemVer)) other = new SemVer(other, this.options);
		if (this.prerelease.length && !other.prerelease.length) return -1;
		else if (!this.prerelease.length && other.prerelease.length) return 1;
		else if (!this.prerelease.length && !other.prerelease.length) return 0;
		var i = 0;
		do {
			var a = this.prerelease[i];
			var b = other.prerelease[i];
			debug("prerelease compare", i, a, b);
			if (a === void 0 && b === void 0) return 0;
			else if (b === void 0) return 1;
			else if (a === void 0) return -1;
			else if (a === b) continue;
			else return compareIdentifiers(a, b);
		} while (++i);
	};
	SemVer.prototype.compareBuild = function(other) {
		if (!(other instanceof SemVer)) other = new SemVer(other, this.options);
		var i = 0;
		do {
			var a = this.build[i];
			var b = other.build[i];
			debug("prerelease compare", i, a, b);
			if (a === void 0 && b === void 0) return 0;
			else if (b === void 0) return 1;
			else if (a === void 0) return -1;
			else if (a === b) continue;
			else return compareIdentifiers(a, b);
		} while (++i);
	};
	SemVer.prototype.inc = function(release, identifier) {
		switch (release) {
			case "premajor":
				this.prerelease.length = 0;
				this.patch = 0;
				this.minor = 0;
				this.major++;
				this.inc("pre", identifier);
				break;
			case "preminor":
				this.prerelease.length = 0;
				this.patch = 0;
				this.minor++;
				this.inc("pre", identifier);
				break;
			case "prepatch":
				this.prerelease.length = 0;
				this.inc("patch", identifier);
				this.inc("pre", identifier);
				break;
			case "prerelease":
				if (this.prerelease.length === 0) this.inc("patch", identifier);
				this.inc("pre", identifier);
				break;
			case "major":
				if (this.minor !== 0 || this.patch !== 0 || this.prerelease.length === 0) this.major++;
				this.minor = 0;
				this.patch = 0;
				this.prerelease = [];
				break;
			case "minor":
				if (this.patch !== 0 || this.prerelease.length === 0) this.minor++;
				this.patch = 0;
				this.prerelease = [];
				break;
			case "patch":
				if (this.prerelease.length === 0) this.patch++;
				this.prerelease = [];
				break;
			case "pre":
				if (this.prerelease.length === 0) this.prerelease = [0];
				else {
					var i = this.prerelease.length;
					while (--i >= 0) if (typeof this.prerelease[i] === "number") {
						this.prerelease[i]++;
						i = -2;
					}
					if (i === -1) this.prerelease.push(0);
				}
				if (identifier) {
					if (this.prerelease[0] === identifier) {
						if (isNaN(this.prerelease[1])) this.prerelease = [identifier, 0];
					} else this.prerelease = [identifier, 0];
				}
				break;
			default: throw new Error("invalid increment argument: " + release);
		}
		this.format();
		this.raw = this.version;
		return this;
	};
	exports.inc = inc;
	function inc(version, release, loose, identifier) {
		if (typeof loose === "string") {
			identifier = loose;
			loose = void 0;
		}
		try {
			return new SemVer(version, loose).inc(release, identifier).version;
		} catch (er) {
			return null;
		}
	}
	exports.diff = diff;
	function diff(version1, version2) {
		if (eq(version1, version2)) return null;
		else {
			var v1 = parse(version1);
			var v2 = parse(version2);
			var prefix = "";
			if (v1.prerelease.length || v2.prerelease.length) {
				prefix = "pre";
				var defaultResult = "prerelease";
			}
			for (var key in v1) if (key === "major" || key === "minor" || key === "patch") {
				if (v1[key] !== v2[key]) return prefix + key;
			}
			return defaultResult;
		}
	}
	exports.compareIdentifiers = compareIdentifiers;
	var numeric = /^[0-9]+$/;
	function compareIdentifiers(a, b) {
		var anum = numeric.test(a);
		var bnum = numeric.test(b);
		if (anum && bnum) {
			a = +a;
			b = +b;
		}
		return a === b ? 0 : anum && !bnum ? -1 : bnum && !anum ? 1 : a < b ? -1 : 1;
	}
	exports.rcompareIdentifiers = rcompareIdentifiers;
	function rcompareIdentifiers(a, b) {
		return compareIdentifiers(b, a);
	}
	exports.major = major;
	function major(a, loose) {
		return new SemVer(a, loose).major;
	}
	exports.minor = minor;
	function minor(a, loose) {
		return new SemVer(a, loose).minor;
	}
	exports.patch = patch;
	function patch(a, loose) {
		return new SemVer(a, loose).patch;
	}
	exports.compare = compare;
	function compare(a, b, loose) {
		return new SemVer(a, loose).compare(new SemVer(b, loose));
	}
	exports.compareLoose = compareLoose;
	function compareLoose(a, b) {
		return compare(a, b, true);
	}
	exports.compareBuild = compareBuild;
	function compareBuild(a, b, loose) {
		var versionA = new SemVer(a, loose);
		var versionB = new SemVer(b, loose);
		return versionA.compare(versionB) || versionA.compareBuild(versionB);
	}
	exports.rcompare = rcompare;
	function rcompare(a, b, loose) {
		return compare(b, a, loose);
	}
	exports.sort = sort;
	function sort(list, loose) {
		return list.sort(function(a, b) {
			return exports.compareBuild(a, b, loose);
		});
	}
	exports.rsort = rsort;
	function rsort(list, loose) {
		return list.sort(function(a, b) {
			return exports.compareBuild(b, a, loose);
		});
	}
	exports.gt = gt;
	function gt(a, b, loose) {
		return compare(a, b, loose) > 0;
	}
	exports.lt = lt;
	function lt(a, b, loose) {
		return compare(a, b, loose) < 0;
	}
	exports.eq = eq;
	function eq(a, b, loose) {
		return compare(a, b, loose) === 0;
	}
	exports.neq = neq;
	function neq(a, b, loose) {
		return compare(a, b, loose) !== 0;
	}
	exports.gte = gte;
	function gte(a, b, loose) {
		return compare(a, b, loose) >= 0;
	}
	exports.lte = lte;
	function lte(a, b, loose) {
		return compare(a, b, loose) <= 0;
	}
	exports.cmp = cmp;
	function cmp(a, op, b, loose) {
		switch (op) {
			case "===":
				if (typeof a === "object") a = a.version;
				if (typeof b === "object") b = b.version;
				return a === b;
			case "!==":
				if (typeof a === "object") a = a.version;
				if (typeof b === "object") b = b.version;
				return a !== b;
			case "":
			case "=":
			case "==": return eq(a, b, loose);
			case "!=": return neq(a, b, loose);
			case ">": return gt(a, b, loose);
			case ">=": return gte(a, b, loose);
			case "<": return lt(a, b, loose);
			case "<=": return lte(a, b, loose);
			default: throw new TypeError("Invalid operator: " + op);
		}
	}
	exports.Comparator = Comparator;
	function Comparator(comp, options) {
		if (!options || typeof options !== "object") options = {
			loose: !!options,
			includePrerelease: false
		};
		if (comp instanceof Comparator) {
			if (comp.loose === !!options.loose) return comp;
			else comp = comp.value;
		}
		if (!(this instanceof Comparator)) return new Comparator(comp, options);
		comp = comp.trim().split(/\s+/).join(" ");
		debug("comparator", comp, options);
		this.options = options;
		this.loose = !!options.loose;
		this.parse(comp);
		if (this.semver === ANY) this.value = "";
		else this.value = this.operator + this.semver.version;
		debug("comp", this);
	}
	var ANY = {};
	Comparator.prototype.parse = function(comp) {
		var r = this.options.loose ? safeRe[t.COMPARATORLOOSE] : safeRe[t.COMPARATOR];
		var m = comp.match(r);
		if (!m) throw new TypeError("Invalid comparator: " + comp);
		this.operator = m[1] !== void 0 ? m[1] : "";
		if (this.operator === "=") this.operator = "";
		if (!m[2]) this.semver = ANY;
		else this.semver = new SemVer(m[2], this.options.loose);
	};
	Comparator.prototype.toString = function() {
		return this.value;
	};
	Comparator.prototype.test = function(version) {
		debug("Comparator.test", version, this.options.loose);
		if (this.semver === ANY || version === ANY) return true;
		if (typeof version === "string") try {
			version = new SemVer(version, this.options);
		} catch (er) {
			return false;
		}
		return cmp(version, this.operator, this.semver, this.options);
	};
	Comparator.prototype.intersects = function(comp, options) {
		if (!(comp instanceof Comparator)) throw new TypeError("a Comparator is required");
		if (!options || typeof options !== "object") options = {
			loose: !!options,
			includePrerelease: false
		};
		var rangeTmp;
		if (this.operator === "") {
			if (this.value === "") return true;
			rangeTmp = new Range(comp.value, options);
			return satisfies(this.value, rangeTmp, options);
		} else if (comp.operator === "") {
			if (comp.value === "") return true;
			rangeTmp = new Range(this.value, options);
			return satisfies(comp.semver, rangeTmp, options);
		}
		var sameDirectionIncreasing = (this.operator === ">=" || this.operator === ">") && (comp.operator === ">=" || comp.operator === ">");
		var sameDirectionDecreasing = (this.operator === "<=" || this.operator === "<") && (comp.operator === "<=" || comp.operator === "<");
		var sameSemVer = this.semver.version === comp.semver.version;
		var differentDirectionsInclusive = (this.operator === ">=" || this.operator === "<=") && (comp.operator === ">=" || comp.operator === "<=");
		var oppositeDirectionsLessThan = cmp(this.semver, "<", comp.semver, options) && (this.operator === ">=" || this.operator === ">") && (comp.operator === "<=" || comp.operator === "<");
		var oppositeDirectionsGreaterThan = cmp(this.semver, ">", comp.semver, options) && (this.operator === "<=" || this.operator === "<") && (comp.operator === ">=" || comp.operator === ">");
		return sameDirectionIncreasing || sameDirectionDecreasing || sameSemVer && differentDirectionsInclusive || oppositeDirectionsLessThan || oppositeDirectionsGreaterThan;
	};
	exports.Range = Range;
	function Range(range, options) {
		if (!options || typeof options !== "object") options = {
			loose: !!options,
			includePrerelease: false
		};
		if (range instanceof Range) {
			if (range.loose === !!options.loose && range.includePrerelease === !!options.includePrerelease) return range;
			else return new Range(range.raw, options);
		}
		if (range instanceof Comparator) return new Range(range.value, options);
		if (!(this instanceof Range)) return new Range(range, options);
		this.options = options;
		this.loose = !!options.loose;
		this.includePrerelease = !!options.includePrerelease;
		this.raw = range.trim().split(/\s+/).join(" ");
		this.set = this.raw.split("||").map(function(range) {
			return this.parseRange(range.trim());
		}, this).filter(function(c) {
			return c.length;
		});
		if (!this.set.length) throw new TypeError("Invalid SemVer Range: " + this.raw);
		this.format();
	}
	Range.prototype.format = function() {
		this.range = this.set.map(function(comps) {
			return comps.join(" ").trim();
		}).join("||").trim();
		return this.range;
	};
	Range.prototype.toString = function() {
		return this.range;
	};
	function isWhitespace(char) {
		var code = char && char.charCodeAt(0);
		return code >= 9 && code <= 13 || code === 32 || code === 160 || code === 5760 || code >= 8192 && code <= 8202 || code === 8232 || code === 8233 || code === 8239 || code === 8287 || code === 12288 || code === 65279;
	}
	function isVersionPrefix(char) {
		return char === "v" || char === "=" || isWhitespace(char);
	}
	function isDigit(char) {
		return char !== void 0 && char >= "0" && char <= "9";
	}
	function isLetter(char) {
		return char !== void 0 && (char >= "a" && char <= "z" || char >= "A" && char <= "Z");
	}
	function isIdentifierCharacter(char) {
		return isDigit(char) || isLetter(char) || char === "-";
	}
	function isVersionStart(char) {
		return isDigit(char) || char === "x" || char === "X" || char === "*";
	}
	function findDigitsEndIndex(range, start, limit, digitRuns) {
		if (!isDigit(range[start])) return start;
		if (start >= digitRuns.start && start < digitRuns.end) return Math.min(start + limit, digitRuns.end);
		if (start >= digitRuns.previousStart && start < digitRuns.previousEnd) return Math.min(start + limit, digitRuns.previousEnd);
		var end = start + 1;
		while (isDigit(range[end])) end++;
		digitRuns.previousStart = digitRuns.start;
		digitRuns.previousEnd = digitRuns.end;
		digitRuns.start = start;
		digitRuns.end = end;
		return Math.min(start + limit, end);
	}
	function findVersionNumberEndIndex(range, start, loose, digitRuns) {
		if (!loose && range[start] === "0") return start + 1;
		return findDigitsEndIndex(range, start, loose ? MAX_LENGTH : MAX_LENGTH + 1, digitRuns);
	}
	function findPrereleaseIdentifierEndIndex(range, start, loose, digitRuns) {
		if (isDigit(range[start])) return findVersionNumberEndIndex(range, start, loose, digitRuns);
		if (!isLetter(range[start]) && range[start] !== "-") return start;
		var end = start + 1;
		var limit = end + MAX_SAFE_BUILD_LENGTH;
		while (end < limit && isIdentifierCharacter(range[end])) end++;
		return end;
	}
	function findPrereleaseEndIndex(range, start, loose, digitRuns) {
		var hyphen = range[start] === "-";
		if (!loose && !hyphen) return start;
		var identifierStart = start + (hyphen ? 1 : 0);
		var end = findPrereleaseIdentifierEndIndex(range, identifierStart, loose, digitRuns);
		if (end === identifierStart) {
			if (!loose || !hyphen) return start;
			end = findPrereleaseIdentifierEndIndex(range, start, loose, digitRuns);
		}
		while (range[end] === ".") {
			var next = findPrereleaseIdentifierEndIndex(range, end + 1, loose, digitRuns);
			if (next === end + 1) break;
			end = next;
		}
		return end;
	}
	function findBuildEndIndex(range, start) {
		if (range[start] !== "+") return start;
		var end = start + 1;
		do {
			var identifierStart = end;
			while (end - identifierStart < MAX_SAFE_BUILD_LENGTH && isIdentifierCharacter(range[end])) end++;
			if (end === identifierStart) return identifierStart === start + 1 ? start : end - 1;
			if (range[end] !== ".") return end;
			end++;
		} while (true);
	}
	function findLooseFullVersionEndIndex(range, start, digitRuns) {
		var end = start;
		for (var component = 0; component < 3; component++) {
			var next = findVersionNumberEndIndex(range, end, true, digitRuns);
			if (next === end) return start;
			end = next;
			if (component < 2) {
				if (range[end] !== ".") return start;
				end++;
			}
		}
		return findBuildEndIndex(range, findPrereleaseEndIndex(range, end, true, digitRuns));
	}
	function findPartialVersionComponentEndIndex(range, start, digitRuns) {
		if (isDigit(range[start])) return findVersionNumberEndIndex(range, start, false, digitRuns);
		return isVersionStart(range[start]) ? start + 1 : start;
	}
	function findVersionEndIndex(range, start, digitRuns) {
		var end = findLooseFullVersionEndIndex(range, start, digitRuns);
		if (end !== start) return end;
		end = findPartialVersionComponentEndIndex(range, start, digitRuns);
		for (var component = 0; component < 2; component++) {
			if (range[end] !== ".") return end;
			var next = findPartialVersionComponentEndIndex(range, end + 1, digitRuns);
			if (next === end + 1) return end;
			end = next;
		}
		return findBuildEndIndex(range, findPrereleaseEndIndex(range, end, false, digitRuns));
	}
	function findRemovableWhitespaceIndex(range, position) {
		if (isWhitespace(range[position])) position++;
		if (range[position] === "<" || range[position] === ">") position++;
		if (range[position] === "=") position++;
		return isWhitespace(range[position]) ? position : -1;
	}
	function trimComparatorWhitespace(range) {
		var result = "";
		var copyFrom = 0;
		var cursor = 0;
		var digitRuns = {
			start: -1,
			end: -1,
			previousStart: -1,
			previousEnd: -1
		};
		while (cursor < range.length) {
			var matchStart = cursor;
			if (range[cursor] === "<" || range[cursor] === ">") cursor++;
			else if (!isVersionPrefix(range[cursor]) && !isVersionStart(range[cursor])) {
				cursor++;
				continue;
			}
			while (cursor < range.length && isVersionPrefix(range[cursor])) cursor++;
			if (!isVersionStart(range[cursor])) continue;
			var whitespacePosition = findRemovableWhitespaceIndex(range, matchStart);
			if (whitespacePosition !== -1) {
				result += range.slice(copyFrom, whitespacePosition);
				copyFrom = whitespacePosition + 1;
			}
			cursor = findVersionEndIndex(range, cursor, digitRuns);
		}
		return result + range.slice(copyFrom);
	}
	Range.prototype.parseRange = function(range) {
		var loose = this.options.loose;
		var hr = loose ? safeRe[t.HYPHENRANGELOOSE] : safeRe[t.HYPHENRANGE];
		range = range.replace(hr, hyphenReplace);
		debug("hyphen replace", range);
		range = trimComparatorWhitespace(range);
		debug("comparator trim", range);
		range = range.replace(safeRe[t.TILDETRIM], tildeTrimReplace);
		range = range.replace(safeRe[t.CARETTRIM], caretTrimReplace);
		range = range.split(/\s+/).join(" ");
		var compRe = loose ? safeRe[t.COMPARATORLOOSE] : safeRe[t.COMPARATOR];
		var set = range.split(" ").map(function(comp) {
			return parseComparator(comp, this.options);
		}, this).join(" ").split(/\s+/);
		if (this.options.loose) set = set.filter(function(comp) {
			return !!comp.match(compRe);
		});
		set = set.map(function(comp) {
			return new Comparator(comp, this.options);
		}, this);
		return set;
	};
	Range.prototype.intersects = function(range, options) {
		if (!(range instanceof Range)) throw new TypeError("a Range is required");
		return this.set.some(function(thisComparators) {
			return isSatisfiable(thisComparators, options) && range.set.some(function(rangeComparators) {
				return isSatisfiable(rangeComparators, options) && thisComparators.every(function(thisComparator) {
					return rangeComparators.every(function(rangeComparator) {
						return thisComparator.intersects(rangeComparator, options);
					});
				});
			});
		});
	};
	function isSatisfiable(comparators, options) {
		var result = true;
		var remainingComparators = comparators.slice();
		var testComparator = remainingComparators.pop();
		while (result && remainingComparators.length) {
			result = remainingComparators.every(function(otherComparator) {
				return testComparator.intersects(otherComparator, options);
			});
			testComparator = remainingComparators.pop();
		}
		return result;
	}
	exports.toComparators = toComparators;
	function toComparators(range, options) {
		return new Range(range, options).set.map(function(comp) {
			return comp.map(function(c) {
				return c.value;
			}).join(" ").trim().split(" ");
		});
	}
	function parseComparator(comp, options) {
		debug("comp", comp, options);
		comp = replaceCarets(comp, options);
		debug("caret", comp);
		comp = replaceTildes(comp, options);
		debug("tildes", comp);
		comp = replaceXRanges(comp, options);
		debug("xrange", comp);
		comp = replaceStars(comp, options);
		debug("stars", comp);
		return comp;
	}
	function isX(id) {
		return !id || id.toLowerCase() === "x" || id === "*";
	}
	function replaceTildes(comp, options) {
		return comp.trim().split(/\s+/).map(function(comp) {
			return replaceTilde(comp, options);
		}).join(" ");
	}
	function replaceTilde(comp, options) {
		var r = options.loose ? safeRe[t.TILDELOOSE] : safeRe[t.TILDE];
		return comp.replace(r, function(_, M, m, p, pr) {
			debug("tilde", comp, _, M, m, p, pr);
			var ret;
			if (isX(M)) ret = "";
			else if (isX(m)) ret = ">=" + M + ".0.0 <" + (+M + 1) + ".0.0";
			else if (isX(p)) ret = ">=" + M + "." + m + ".0 <" + M + "." + (+m + 1) + ".0";
			else if (pr) {
				debug("replaceTilde pr", pr);
				ret = ">=" + M + "." + m + "." + p + "-" + pr + " <" + M + "." + (+m + 1) + ".0";
			} else ret = ">=" + M + "." + m + "." + p + " <" + M + "." + (+m + 1) + ".0";
			debug("tilde return", ret);
			return ret;
		});
	}
	function replaceCarets(comp, options) {
		return comp.trim().split(/\s+/).map(function(comp) {
			return replaceCaret(comp, options);
		}).join(" ");
	}
	function replaceCaret(comp, options) {
		debug("caret", comp, options);
		var r = options.loose ? safeRe[t.CARETLOOSE] : safeRe[t.CARET];
		return comp.replace(r, function(_, M, m, p, pr) {
			debug("caret", comp, _, M, m, p, pr);
			var ret;
			if (isX(M)) ret = "";
			else if (isX(m)) ret = ">=" + M + ".0.0 <" + (+M + 1) + ".0.0";
			else if (isX(p)) {
				if (M === "0") ret = ">=" + M + "." + m + ".0 <" + M + "." + (+m + 1) + ".0";
				else ret = ">=" + M + "." + m + ".0 <" + (+M + 1) + ".0.0";
			} else if (pr) {
				debug("replaceCaret pr", pr);
				if (M === "0") {
					if (m === "0") ret = ">=" + M + "." + m + "." + p + "-" + pr + " <" + M + "." + m + "." + (+p + 1);
					else ret = ">=" + M + "." + m + "." + p + "-" + pr + " <" + M + "." + (+m + 1) + ".0";
				} else ret = ">=" + M + "." + m + "." + p + "-" + pr + " <" + (+M + 1) + ".0.0";
			} else {
				debug("no pr");
				if (M === "0") {
					if (m === "0") ret = ">=" + M + "." + m + "." + p + " <" + M + "." + m + "." + (+p + 1);
					else ret = ">=" + M + "." + m + "." + p + " <" + M + "." + (+m + 1) + ".0";
				} else ret = ">=" + M + "." + m + "." + p + " <" + (+M + 1) + ".0.0";
			}
			debug("caret return", ret);
			return ret;
		});
	}
	function replaceXRanges(comp, options) {
		debug("replaceXRanges", comp, options);
		return comp.split(/\s+/).map(function(comp) {
			return replaceXRange(comp, options);
		}).join(" ");
	}
	function replaceXRange(comp, options) {
		comp = comp.trim();
		var r = options.loose ? safeRe[t.XRANGELOOSE] : safeRe[t.XRANGE];
		return comp.replace(r, function(ret, gtlt, M, m, p, pr) {
			debug("xRange", comp, ret, gtlt, M, m, p, pr);
			var xM = isX(M);
			var xm = xM || isX(m);
			var xp = xm || isX(p);
			var anyX = xp;
			if (gtlt === "=" && anyX) gtlt = "";
			pr = options.includePrerelease ? "-0" : "";
			if (xM) {
				if (gtlt === ">" || gtlt === "<") ret = "<0.0.0-0";
				else ret = "*";
			} else if (gtlt && anyX) {
				if (xm) m = 0;
				p = 0;
				if (gtlt === ">") {
					gtlt = ">=";
					if (xm) {
						M = +M + 1;
						m = 0;
						p = 0;
					} else {
						m = +m + 1;
						p = 0;
					}
				} else if (gtlt === "<=") {
					gtlt = "<";
					if (xm) M = +M + 1;
					else m = +m + 1;
				}
				ret = gtlt + M + "." + m + "." + p + pr;
			} else if (xm) ret = ">=" + M + ".0.0" + pr + " <" + (+M + 1) + ".0.0" + pr;
			else if (xp) ret = ">=" + M + "." + m + ".0" + pr + " <" + M + "." + (+m + 1) + ".0" + pr;
			debug("xRange return", ret);
			return ret;
		});
	}
	function replaceStars(comp, options) {
		debug("replaceStars", comp, options);
		return comp.trim().replace(safeRe[t.STAR], "");
	}
	function hyphenReplace($0, from, fM, fm, fp, fpr, fb, to, tM, tm, tp, tpr, tb) {
		if (isX(fM)) from = "";
		else if (isX(fm)) from = ">=" + fM + ".0.0";
		else if (isX(fp)) from = ">=" + fM + "." + fm + ".0";
		else from = ">=" + from;
		if (isX(tM)) to = "";
		else if (isX(tm)) to = "<" + (+tM + 1) + ".0.0";
		else if (isX(tp)) to = "<" + tM + "." + (+tm + 1) + ".0";
		else if (tpr) to = "<=" + tM + "." + tm + "." + tp + "-" + tpr;
		else to = "<=" + to;
		return (from + " " + to).trim();
	}
	Range.prototype.test = function(version) {
		if (!version) return false;
		if (typeof version === "string") try {
			version = new SemVer(version, this.options);
		} catch (er) {
			return false;
		}
		for (var i = 0; i < this.set.length; i++) if (testSet(this.set[i], version, this.options)) return true;
		return false;
	};
	function testSet(set, version, options) {
		for (var i = 0; i < set.length; i++) if (!set[i].test(version)) return false;
		if (version.prerelease.length && !options.includePrerelease) {
			for (i = 0; i < set.length; i++) {
				debug(set[i].semver);
				if (set[i].semver === ANY) continue;
				if (set[i].semver.prerelease.length > 0) {
					var allowed = set[i].semver;
					if (allowed.major === version.major && allowed.minor === version.minor && allowed.patch === version.patch) return true;
				}
			}
			return false;
		}
		return true;
	}
	exports.satisfies = satisfies;
	function satisfies(version, range, options) {
		try {
			range = new Range(range, options);
		} catch (er) {
			return false;
		}
		return range.test(version);
	}
	exports.maxSatisfying = maxSatisfying;
	function maxSatisfying(versions, range, options) {
		var max = null;
		var maxSV = null;
		try {
			var rangeObj = new Range(range, options);
		} catch (er) {
			return null;
		}
		versions.forEach(function(v) {
			if (rangeObj.test(v)) {
				if (!max || maxSV.compare(v) === -1) {
					max = v;
					maxSV = new SemVer(max, options);
				}
			}
		});
		return max;
	}
	exports.minSatisfying = minSatisfying;
	function minSatisfying(versions, range, options) {
		var min = null;
		var minSV = null;
		try {
			var rangeObj = new Range(range, options);
		} catch (er) {
			return null;
		}
		versions.forEach(function(v) {
			if (rangeObj.test(v)) {
				if (!min || minSV.compare(v) === 1) {
					min = v;
					minSV = new SemVer(min, options);
				}
			}
		});
		return min;
	}
	exports.minVersion = minVersion;
	function minVersion(range, loose) {
		range = new Range(range, loose);
		var minver = new SemVer("0.0.0");
		if (range.test(minver)) return minver;
		minver = new SemVer("0.0.0-0");
		if (range.test(minver)) return minver;
		minver = null;
		for (var i = 0; i < range.set.length; ++i) range.set[i].forEach(function(comparator) {
			var compver = new SemVer(comparator.semver.version);
			switch (comparator.operator) {
				case ">":
					if (compver.prerelease.length === 0) compver.patch++;
					else compver.prerelease.push(0);
					compver.raw = compver.format();
				case "":
				case ">=":
					if (!minver || gt(minver, compver)) minver = compver;
					break;
				case "<":
				case "<=": break;
				/* istanbul ignore next */
				default: throw new Error("Unexpected operation: " + comparator.operator);
			}
		});
		if (minver && range.test(minver)) return minver;
		return null;
	}
	exports.validRange = validRange;
	function validRange(range, options) {
		try {
			return new Range(range, options).range || "*";
		} catch (er) {
			return null;
		}
	}
	exports.ltr = ltr;
	function ltr(version, range, options) {
		return outside(version, range, "<", options);
	}
	exports.gtr = gtr;
	function gtr(version, range, options) {
		return outside(version, range, ">", options);
	}
	exports.outside = outside;
	function outside(version, range, hilo, options) {
		version = new SemVer(version, options);
		range = new Range(range, options);
		var gtfn, ltefn, ltfn, comp, ecomp;
		switch (hilo) {
			case ">":
				gtfn = gt;
				ltefn = lte;
				ltfn = lt;
				comp = ">";
				ecomp = ">=";
				break;
			case "<":
				gtfn = lt;
				ltefn = gte;
				ltfn = gt;
				comp = "<";
				ecomp = "<=";
				break;
			default: throw new TypeError("Must provide a hilo val of \"<\" or \">\"");
		}
		if (satisfies(version, range, options)) return false;
		for (var i = 0; i < range.set.length; ++i) {
			var comparators = range.set[i];
			var high = null;
			var low = null;
			comparators.forEach(function(comparator) {
				if (comparator.semver === ANY) comparator = new Comparator(">=0.0.0");
				high = high || comparator;
				low = low || comparator;
				if (gtfn(comparator.semver, high.semver, options)) high = comparator;
				else if (ltfn(comparator.semver, low.semver, options)) low = comparator;
			});
			if (high.operator === comp || high.operator === ecomp) return false;
			if ((!low.operator || low.operator === comp) && ltefn(version, low.semver)) return false;
			else if (low.operator === ecomp && ltfn(version, low.semver)) return false;
		}
		return true;
	}
	exports.prerelease = prerelease;
	function prerelease(version, options) {
		var parsed = parse(version, options);
		return parsed && parsed.prerelease.length ? parsed.prerelease : null;
	}
	exports.intersects = intersects;
	function intersects(r1, r2, options) {
		r1 = new Range(r1, options);
		r2 = new Range(r2, options);
		return r1.intersects(r2);
	}
	exports.coerce = coerce;
	function coerce(version, options) {
		if (version instanceof SemVer) return version;
		if (typeof version === "number") version = String(version);
		if (typeof version !== "string") return null;
		options = options || {};
		var match = null;
		if (!options.rtl) match = version.match(safeRe[t.COERCE]);
		else {
			var next;
			while ((next = safeRe[t.COERCERTL].exec(version)) && (!match || match.index + match[0].length !== version.length)) {
				if (!match || next.index + next[0].length !== match.index + match[0].length) match = next;
				safeRe[t.COERCERTL].lastIndex = next.index + next[1].length + next[2].length;
			}
			safeRe[t.COERCERTL].lastIndex = -1;
		}
		if (match === null) return null;
		return parse(match[2] + "." + (match[3] || "0") + "." + (match[4] || "0"), options);
	}
}));

// node_modules/make-dir/index.js
var require_make_dir = /* @__PURE__ */ require_rolldown_runtime.__commonJSMin(((exports, module) => {
	const fs = require("fs");
	const path = require("path");
	const { promisify } = require("util");
	const useNativeRecursiveOption = require_semver().satisfies(process.version, ">=10.12.0");
	const checkPath = (pth) => {
		if (process.platform === "win32") {
			if (/[<>:"|?*]/.test(pth.replace(path.parse(pth).root, ""))) {
				const error = /* @__PURE__ */ new Error(`Path contains invalid characters: ${pth}`);
				error.code = "EINVAL";
				throw error;
			}
		}
	};
	const processOptions = (options) => {
		return {
			mode: 511,
			fs,
			...options
		};
	};
	const permissionError = (pth) => {
		const error = /* @__PURE__ */ new Error(`operation not permitted, mkdir '${pth}'`);
		error.code = "EPERM";
		error.errno = -4048;
		error.path = pth;
		error.syscall = "mkdir";
		return error;
	};
	const makeDir = async (input, options) => {
		checkPath(input);
		options = processOptions(options);
		const mkdir = promisify(options.fs.mkdir);
		const stat = promisify(options.fs.stat);
		if (useNativeRecursiveOption && options.fs.mkdir === fs.mkdir) {
			const pth = path.resolve(input);
			await mkdir(pth, {
				mode: options.mode,
				recursive: true
			});
			return pth;
		}
		const make = async (pth) => {
			try {
				await mkdir(pth, options.mode);
				return pth;
			} catch (error) {
				if (error.code === "EPERM") throw error;
				if (error.code === "ENOENT") {
					if (path.dirname(pth) === pth) throw permissionError(pth);
					if (error.message.includes("null bytes")) throw error;
					await make(path.dirname(pth));
					return make(pth);
				}
				try {
					if (!(await stat(pth)).isDirectory()) throw new Error("The path is not a directory");
				} catch (_) {
					throw error;
				}
				return pth;
			}
		};
		return make(path.resolve(input));
	};
	module.exports = makeDir;
	module.exports.sync = (input, options) => {
		checkPath(input);
		options = processOptions(options);
		if (useNativeRecursiveOption && options.fs.mkdirSync === fs.mkdirSync) {
			const pth = path.resolve(input);
			fs.mkdirSync(pth, {
				mode: options.mode,
				recursive: true
			});
			return pth;
		}
		const make = (pth) => {
			try {
				options.fs.mkdirSync(pth, options.mode);
			} catch (error) {
				if (error.code === "EPERM") throw error;
				if (error.code === "ENOENT") {
					if (path.dirname(pth) === pth) throw permissionError(pth);
					if (error.message.includes("null bytes")) throw error;
					make(path.dirname(pth));
					return make(pth);
				}
				try {
					if (!options.fs.statSync(pth).isDirectory()) throw new Error("The path is not a directory");
				} catch (_) {
					throw error;
				}
			}
			return pth;
		};
		return make(path.resolve(input));
	};
}));

// node_modules/sb-promise-queue/lib/esm/index.mjs
var import_is_stream = /* @__PURE__ */ require_rolldown_runtime.__toESM(require_is_stream(), 1);
var import_make_dir = /* @__PURE__ */ require_rolldown_runtime.__toESM(require_make_dir(), 1);
var PromiseQueue = class {
	constructor({ concurrency = 1 } = {}) {
		this.options = { concurrency };
		this.running = 0;
		this.queue = [];
		this.idleCallbacks = [];
	}
	clear() {
		this.queue = [];
	}
	onIdle(callback) {
		this.idleCallbacks.push(callback);
		return () => {
			const index = this.idleCallbacks.indexOf(callback);
			if (index !== -1) this.idleCallbacks.splice(index, 1);
		};
	}
	waitTillIdle() {
		return new Promise((resolve) => {
			if (this.running === 0) {
				resolve();
				return;
			}
			const dispose = this.onIdle(() => {
				dispose();
				resolve();
			});
		});
	}
	add(callback) {
		return new Promise((resolve, reject) => {
			const runCallback = () => {
				this.running += 1;
				try {
					Promise.resolve(callback()).then((val) => {
						resolve(val);
						this.processNext();
					}, (err) => {
						reject(err);
						this.processNext();
					});
				} catch (err) {
					reject(err);
					this.processNext();
				}
			};
			if (this.running >= this.options.concurrency) this.queue.push(runCallback);
			else runCallback();
		});
	}
	processNext() {
		this.running -= 1;
		const callback = this.queue.shift();
		if (callback) callback();
		else if (this.running === 0) this.idleCallbacks.forEach((item) => item());
	}
};

// node_modules/sb-scandir/lib/esm/index.mjs
const defaultFilesystem = {
	join(pathA, pathB) {
		return path.default.join(pathA, pathB);
	},
	basename(path$4) {
		return path.default.basename(path$4);
	},
	stat(path) {
		return new Promise((resolve, reject) => {
			fs.default.stat(path, (err, res) => {
				if (err) reject(err);
				else resolve(res);
			});
		});
	},
	readdir(path) {
		return new Promise((resolve, reject) => {
			fs.default.readdir(path, (err, res) => {
				if (err) reject(err);
				else resolve(res);
			});
		});
	}
};
async function scanDirectoryInternal({ path, recursive, validate, result, fileSystem, queue, reject }) {
	const itemStat = await fileSystem.stat(path);
	if (itemStat.isFile()) result.files.push(path);
	else if (itemStat.isDirectory()) result.directories.push(path);
	if (!itemStat.isDirectory() || recursive === "none") return;
	(await fileSystem.readdir(path)).forEach((item) => {
		const itemPath = fileSystem.join(path, item);
		if (!validate(itemPath)) return;
		queue.add(() => scanDirectoryInternal({
			path: itemPath,
			recursive: recursive === "shallow" ? "none" : "deep",
			validate,
			result,
			fileSystem,
			queue,
			reject
		})).catch(reject);
	});
}
async function scanDirectory(path, { recursive = true, validate = null, concurrency = Infinity, fileSystem = defaultFilesystem } = {}) {
	(0, assert.default)(path && typeof path === "string", "path must be a valid string");
	(0, assert.default)(typeof recursive === "boolean", "options.recursive must be a valid boolean");
	(0, assert.default)(validate === null || typeof validate === "function", "options.validate must be a valid function");
	(0, assert.default)(typeof concurrency === "number", "options.concurrency must be a valid number");
	(0, assert.default)(fileSystem !== null && typeof fileSystem === "object", "options.fileSystem must be a valid object");
	const queue = new PromiseQueue({ concurrency });
	const result = {
		files: [],
		directories: []
	};
	const mergedFileSystem = {
		...defaultFilesystem,
		...fileSystem
	};
	await new Promise((resolve, reject) => {
		scanDirectoryInternal({
			path,
			recursive: recursive ? "deep" : "shallow",
			validate: validate != null ? validate : (item) => mergedFileSystem.basename(item).slice(0, 1) !== ".",
			result,
			fileSystem: mergedFileSystem,
			queue,
			reject
		}).then(() => queue.waitTillIdle()).then(resolve, reject);
	});
	return result;
}

// node_modules/shell-escape/shell-escape.js
var require_shell_escape = /* @__PURE__ */ require_rolldown_runtime.__commonJSMin(((exports, module) => {
	module.exports = shellescape;
	function shellescape(a) {
		var ret = [];
		a.forEach(function(s) {
			if (!/^[A-Za-z0-9_\/-]+$/.test(s)) {
				s = "'" + s.replace(/'/g, "'\\''") + "'";
				s = s.replace(/^(?:'')+/g, "").replace(/\\'''/g, "\\'");
			}
			ret.push(s);
		});
		return ret.join(" ");
	}
}));

// node_modules/node-ssh/lib/esm/index.mjs
var import_shell_escape = /* @__PURE__ */ require_rolldown_runtime.__toESM(require_shell_escape(), 1);
var import_lib = /* @__PURE__ */ require_rolldown_runtime.__toESM(require_lib$1.require_lib(), 1);
const DEFAULT_CONCURRENCY = 1;
const DEFAULT_VALIDATE = (path$1) => !path.default.basename(path$1).startsWith(".");
const DEFAULT_TICK = () => {};
var SSHError = class extends Error {
	constructor(message, code = null) {
		super(message);
		this.code = code;
	}
};
function unixifyPath(path) {
	if (path.includes("\\")) return path.split("\\").join("/");
	return path;
}
async function readFile(filePath) {
	return new Promise((resolve, reject) => {
		fs.default.readFile(filePath, "utf8", (err, res) => {
			if (err) reject(err);
			else resolve(res);
		});
	});
}
const SFTP_MKDIR_ERR_CODE_REGEXP = /Error: (E[\S]+): /;
async function makeDirectoryWithSftp(path, sftp) {
	let stats = null;
	try {
		stats = await new Promise((resolve, reject) => {
			sftp.stat(path, (err, res) => {
				if (err) reject(err);
				else resolve(res);
			});
		});
	} catch (_) {}
	if (stats) {
		if (stats.isDirectory()) return;
		throw new Error("mkdir() failed, target already exists and is not a directory");
	}
	try {
		await new Promise((resolve, reject) => {
			sftp.mkdir(path, (err) => {
				if (err) reject(err);
				else resolve();
			});
		});
	} catch (err) {
		if (err != null && typeof err.stack === "string") {
			const matches = SFTP_MKDIR_ERR_CODE_REGEXP.exec(err.stack);
			if (matches != null) throw new SSHError(err.message, matches[1]);
			throw err;
		}
	}
}
var NodeSSH = class {
	constructor() {
		this.connection = null;
	}
	getConnection() {
		const { connection } = this;
		if (connection == null) throw new Error("Not connected to server");
		return connection;
	}
	async connect(givenConfig) {
		(0, assert.default)(givenConfig != null && typeof givenConfig === "object", "config must be a valid object");
		const config = { ...givenConfig };
		(0, assert.default)(config.username != null && typeof config.username === "string", "config.username must be a valid string");
		if (config.host != null) (0, assert.default)(typeof config.host === "string", "config.host must be a valid string");
		else if (config.sock != null) (0, assert.default)(typeof config.sock === "object", "config.sock must be a valid object");
		else throw new assert.AssertionError({ message: "Either config.host or config.sock must be provided" });
		if (config.privateKey != null || config.privateKeyPath != null) {
			if (config.privateKey != null) {
				(0, assert.default)(typeof config.privateKey === "string", "config.privateKey must be a valid string");
				(0, assert.default)(config.privateKeyPath == null, "config.privateKeyPath must not be specified when config.privateKey is specified");
			} else if (config.privateKeyPath != null) {
				(0, assert.default)(typeof config.privateKeyPath === "string", "config.privateKeyPath must be a valid string");
				(0, assert.default)(config.privateKey == null, "config.privateKey must not be specified when config.privateKeyPath is specified");
			}
			(0, assert.default)(config.passphrase == null || typeof config.passphrase === "string", "config.passphrase must be null or a valid string");
			if (config.privateKeyPath != null) try {
				config.privateKey = await readFile(config.privateKeyPath);
			} catch (err) {
				if (err != null && err.code === "ENOENT") throw new assert.AssertionError({ message: "config.privateKeyPath does not exist at given fs path" });
				throw err;
			}
		} else if (config.password != null) (0, assert.default)(typeof config.password === "string", "config.password must be a valid string");
		if (config.tryKeyboard != null) (0, assert.default)(typeof config.tryKeyboard === "boolean", "config.tryKeyboard must be a valid boolean");
		if (config.tryKeyboard) {
			const { password } = config;
			if (config.onKeyboardInteractive != null) (0, assert.default)(typeof config.onKeyboardInteractive === "function", "config.onKeyboardInteractive must be a valid function");
			else if (password != null) config.onKeyboardInteractive = (name, instructions, instructionsLang, prompts, finish) => {
				if (prompts.length > 0 && prompts[0].prompt.toLowerCase().includes("password")) finish([password]);
			};
		}
		const connection = new import_lib.default.Client();
		this.connection = connection;
		await new Promise((resolve, reject) => {
			connection.on("error", reject);
			if (config.onKeyboardInteractive) connection.on("keyboard-interactive", config.onKeyboardInteractive);
			connection.on("ready", () => {
				connection.removeListener("error", reject);
				resolve();
			});
			connection.on("end", () => {
				if (this.connection === connection) this.connection = null;
			});
			connection.on("close", () => {
				if (this.connection === connection) this.connection = null;
				reject(new SSHError("No response from server", "ETIMEDOUT"));
			});
			connection.connect(config);
		});
		return this;
	}
	isConnected() {
		return this.connection != null;
	}
	async requestShell(options) {
		const connection = this.getConnection();
		return new Promise((resolve, reject) => {
			connection.on("error", reject);
			const callback = (err, res) => {
				connection.removeListener("error", reject);
				if (err) reject(err);
				else resolve(res);
			};
			if (options == null) connection.shell(callback);
			else connection.shell(options, callback);
		});
	}
	async withShell(callback, options) {
		(0, assert.default)(typeof callback === "function", "callback must be a valid function");
		const shell = await this.requestShell(options);
		try {
			await callback(shell);
		} finally {
			shell.destroy();
		}
	}
	async requestSFTP() {
		const connection = this.getConnection();
		return new Promise((resolve, reject) => {
			connection.on("error", reject);
			connection.sftp((err, res) => {
				connection.removeListener("error", reject);
				if (err) reject(err);
				else resolve(res);
			});
		});
	}
	async withSFTP(callback) {
		(0, assert.default)(typeof callback === "function", "callback must be a valid function");
		const sftp = await this.requestSFTP();
		try {
			await callback(sftp);
		} finally {
			sftp.end();
		}
	}
	async execCommand(givenCommand, options = {}) {
		(0, assert.default)(typeof givenCommand === "string", "command must be a valid string");
		(0, assert.default)(options != null && typeof options === "object", "options must be a valid object");
		(0, assert.default)(options.cwd == null || typeof options.cwd === "string", "options.cwd must be a valid string");
		(0, assert.default)(options.stdin == null || typeof options.stdin === "string" || import_is_stream.default.readable(options.stdin), "options.stdin must be a valid string or readable stream");
		(0, assert.default)(options.execOptions == null || typeof options.execOptions === "object", "options.execOptions must be a valid object");
		(0, assert.default)(options.encoding == null || typeof options.encoding === "string", "options.encoding must be a valid string");
		(0, assert.default)(options.onChannel == null || typeof options.onChannel === "function", "options.onChannel must be a valid function");
		(0, assert.default)(options.onStdout == null || typeof options.onStdout === "function", "options.onStdout must be a valid function");
		(0, assert.default)(options.onStderr == null || typeof options.onStderr === "function", "options.onStderr must be a valid function");
		(0, assert.default)(options.noTrim == null || typeof options.noTrim === "boolean", "options.noTrim must be a boolean");
		let command = givenCommand;
		if (options.cwd) command = `cd ${(0, import_shell_escape.default)([options.cwd])} ; ${command}`;
		const connection = this.getConnection();
		const output = {
			stdout: [],
			stderr: []
		};
		return new Promise((resolve, reject) => {
			connection.on("error", reject);
			connection.exec(command, options.execOptions != null ? options.execOptions : {}, (err, channel) => {
				connection.removeListener("error", reject);
				if (err) {
					reject(err);
					return;
				}
				if (options.onChannel) options.onChannel(channel);
				channel.on("data", (chunk) => {
					if (options.onStdout) options.onStdout(chunk);
					output.stdout.push(chunk.toString(options.encoding));
				});
				channel.stderr.on("data", (chunk) => {
					if (options.onStderr) options.onStderr(chunk);
					output.stderr.push(chunk.toString(options.encoding));
				});
				if (options.stdin != null) {
					if (import_is_stream.default.readable(options.stdin)) options.stdin.pipe(channel, { end: true });
					else {
						channel.write(options.stdin);
						channel.end();
					}
				} else channel.end();
				let code = null;
				let signal = null;
				channel.on("exit", (code_, signal_) => {
					code = code_ !== null && code_ !== void 0 ? code_ : null;
					signal = signal_ !== null && signal_ !== void 0 ? signal_ : null;
				});
				channel.on("close", () => {
					let stdout = output.stdout.join("");
					let stderr = output.stderr.join("");
					if (options.noTrim !== true) {
						stdout = stdout.trim();
						stderr = stderr.trim();
					}
					resolve({
						code: code != null ? code : null,
						signal: signal != null ? signal : null,
						stdout,
						stderr
					});
				});
			});
		});
	}
	async exec(command, parameters, options = {}) {
		(0, assert.default)(typeof command === "string", "command must be a valid string");
		(0, assert.default)(Array.isArray(parameters), "parameters must be a valid array");
		(0, assert.default)(options != null && typeof options === "object", "options must be a valid object");
		(0, assert.default)(options.stream == null || [
			"both",
			"stdout",
			"stderr"
		].includes(options.stream), "options.stream must be one of both, stdout, stderr");
		for (let i = 0, { length } = parameters; i < length; i += 1) (0, assert.default)(typeof parameters[i] === "string", `parameters[${i}] must be a valid string`);
		const completeCommand = `${command}${parameters.length > 0 ? ` ${(0, import_shell_escape.default)(parameters)}` : ""}`;
		const response = await this.execCommand(completeCommand, options);
		if (options.stream == null || options.stream === "stdout") {
			if (response.stderr) throw new Error(response.stderr);
			return response.stdout;
		}
		if (options.stream === "stderr") return response.stderr;
		return response;
	}
	async mkdir(path$2, method = "sftp", givenSftp = null) {
		(0, assert.default)(typeof path$2 === "string", "path must be a valid string");
		(0, assert.default)(typeof method === "string" && (method === "sftp" || method === "exec"), "method must be either sftp or exec");
		(0, assert.default)(givenSftp == null || typeof givenSftp === "object", "sftp must be a valid object");
		if (method === "exec") {
			await this.exec("mkdir", ["-p", unixifyPath(path$2)]);
			return;
		}
		const sftp = givenSftp || await this.requestSFTP();
		const makeSftpDirectory = async (retry) => makeDirectoryWithSftp(unixifyPath(path$2), sftp).catch(async (error) => {
			if (!retry || error == null || error.message !== "No such file" && error.code !== "ENOENT") throw error;
			await this.mkdir(path.default.dirname(path$2), "sftp", sftp);
			await makeSftpDirectory(false);
		});
		try {
			await makeSftpDirectory(true);
		} finally {
			if (!givenSftp) sftp.end();
		}
	}
	async getFile(localFile, remoteFile, givenSftp = null, transferOptions = null) {
		(0, assert.default)(typeof localFile === "string", "localFile must be a valid string");
		(0, assert.default)(typeof remoteFile === "string", "remoteFile must be a valid string");
		(0, assert.default)(givenSftp == null || typeof givenSftp === "object", "sftp must be a valid object");
		(0, assert.default)(transferOptions == null || typeof transferOptions === "object", "transferOptions must be a valid object");
		const sftp = givenSftp || await this.requestSFTP();
		try {
			await new Promise((resolve, reject) => {
				sftp.fastGet(unixifyPath(remoteFile), localFile, transferOptions || {}, (err) => {
					if (err) reject(err);
					else resolve();
				});
			});
		} finally {
			if (!givenSftp) sftp.end();
		}
	}
	async putFile(localFile, remoteFile, givenSftp = null, transferOptions = null) {
		(0, assert.default)(typeof localFile === "string", "localFile must be a valid string");
		(0, assert.default)(typeof remoteFile === "string", "remoteFile must be a valid string");
		(0, assert.default)(givenSftp == null || typeof givenSftp === "object", "sftp must be a valid object");
		(0, assert.default)(transferOptions == null || typeof transferOptions === "object", "transferOptions must be a valid object");
		(0, assert.default)(await new Promise((resolve) => {
			fs.default.access(localFile, fs.default.constants.R_OK, (err) => {
				resolve(err === null);
			});
		}), `localFile does not exist at ${localFile}`);
		const sftp = givenSftp || await this.requestSFTP();
		const putFile = (retry) => {
			return new Promise((resolve, reject) => {
				sftp.fastPut(localFile, unixifyPath(remoteFile), transferOptions || {}, (err) => {
					if (err == null) {
						resolve();
						return;
					}
					if (err.message === "No such file" && retry) resolve(this.mkdir(path.default.dirname(remoteFile), "sftp", sftp).then(() => putFile(false)));
					else reject(err);
				});
			});
		};
		try {
			await putFile(true);
		} finally {
			if (!givenSftp) sftp.end();
		}
	}
	async putFiles(files, { concurrency = DEFAULT_CONCURRENCY, sftp: givenSftp = null, transferOptions = {} } = {}) {
		(0, assert.default)(Array.isArray(files), "files must be an array");
		for (let i = 0, { length } = files; i < length; i += 1) {
			const file = files[i];
			(0, assert.default)(file, "files items must be valid objects");
			(0, assert.default)(file.local && typeof file.local === "string", `files[${i}].local must be a string`);
			(0, assert.default)(file.remote && typeof file.remote === "string", `files[${i}].remote must be a string`);
		}
		const transferred = [];
		const sftp = givenSftp || await this.requestSFTP();
		const queue = new PromiseQueue({ concurrency });
		try {
			await new Promise((resolve, reject) => {
				files.forEach((file) => {
					queue.add(async () => {
						await this.putFile(file.local, file.remote, sftp, transferOptions);
						transferred.push(file);
					}).catch(reject);
				});
				queue.waitTillIdle().then(resolve);
			});
		} catch (error) {
			if (error != null) error.transferred = transferred;
			throw error;
		} finally {
			if (!givenSftp) sftp.end();
		}
	}
	async putDirectory(localDirectory, remoteDirectory, { concurrency = DEFAULT_CONCURRENCY, sftp: givenSftp = null, transferOptions = {}, recursive = true, tick = DEFAULT_TICK, validate = DEFAULT_VALIDATE } = {}) {
		(0, assert.default)(typeof localDirectory === "string" && localDirectory, "localDirectory must be a string");
		(0, assert.default)(typeof remoteDirectory === "string" && remoteDirectory, "remoteDirectory must be a string");
		const localDirectoryStat = await new Promise((resolve) => {
			fs.default.stat(localDirectory, (err, stat) => {
				resolve(stat || null);
			});
		});
		(0, assert.default)(localDirectoryStat != null, `localDirectory does not exist at ${localDirectory}`);
		(0, assert.default)(localDirectoryStat.isDirectory(), `localDirectory is not a directory at ${localDirectory}`);
		const sftp = givenSftp || await this.requestSFTP();
		const scanned = await scanDirectory(localDirectory, {
			recursive,
			validate
		});
		const files = scanned.files.map((item) => path.default.relative(localDirectory, item));
		const directories = scanned.directories.map((item) => path.default.relative(localDirectory, item));
		directories.sort((a, b) => a.length - b.length);
		let failed = false;
		try {
			await new Promise((resolve, reject) => {
				const queue = new PromiseQueue({ concurrency });
				directories.forEach((directory) => {
					queue.add(async () => {
						await this.mkdir(path.default.join(remoteDirectory, directory), "sftp", sftp);
					}).catch(reject);
				});
				resolve(queue.waitTillIdle());
			});
			await new Promise((resolve, reject) => {
				const queue = new PromiseQueue({ concurrency });
				files.forEach((file) => {
					queue.add(async () => {
						const localFile = path.default.join(localDirectory, file);
						const remoteFile = path.default.join(remoteDirectory, file);
						try {
							await this.putFile(localFile, remoteFile, sftp, transferOptions);
							tick(localFile, remoteFile, null);
						} catch (_) {
							failed = true;
							tick(localFile, remoteFile, _);
						}
					}).catch(reject);
				});
				resolve(queue.waitTillIdle());
			});
		} finally {
			if (!givenSftp) sftp.end();
		}
		return !failed;
	}
	async getDirectory(localDirectory, remoteDirectory, { concurrency = DEFAULT_CONCURRENCY, sftp: givenSftp = null, transferOptions = {}, recursive = true, tick = DEFAULT_TICK, validate = DEFAULT_VALIDATE } = {}) {
		(0, assert.default)(typeof localDirectory === "string" && localDirectory, "localDirectory must be a string");
		(0, assert.default)(typeof remoteDirectory === "string" && remoteDirectory, "remoteDirectory must be a string");
		const localDirectoryStat = await new Promise((resolve) => {
			fs.default.stat(localDirectory, (err, stat) => {
				resolve(stat || null);
			});
		});
		(0, assert.default)(localDirectoryStat != null, `localDirectory does not exist at ${localDirectory}`);
		(0, assert.default)(localDirectoryStat.isDirectory(), `localDirectory is not a directory at ${localDirectory}`);
		const sftp = givenSftp || await this.requestSFTP();
		const scanned = await scanDirectory(remoteDirectory, {
			recursive,
			validate,
			concurrency,
			fileSystem: {
				basename(path$3) {
					return path.default.posix.basename(path$3);
				},
				join(pathA, pathB) {
					return path.default.posix.join(pathA, pathB);
				},
				readdir(path) {
					return new Promise((resolve, reject) => {
						sftp.readdir(path, (err, res) => {
							if (err) reject(err);
							else resolve(res.map((item) => item.filename));
						});
					});
				},
				stat(path) {
					return new Promise((resolve, reject) => {
						sftp.stat(path, (err, res) => {
							if (err) reject(err);
							else resolve(res);
						});
					});
				}
			}
		});
		const files = scanned.files.map((item) => path.default.relative(remoteDirectory, item));
		const directories = scanned.directories.map((item) => path.default.relative(remoteDirectory, item));
		directories.sort((a, b) => a.length - b.length);
		let failed = false;
		try {
			await new Promise((resolve, reject) => {
				const queue = new PromiseQueue({ concurrency });
				directories.forEach((directory) => {
					queue.add(async () => {
						await (0, import_make_dir.default)(path.default.join(localDirectory, directory));
					}).catch(reject);
				});
				resolve(queue.waitTillIdle());
			});
			await new Promise((resolve, reject) => {
				const queue = new PromiseQueue({ concurrency });
				files.forEach((file) => {
					queue.add(async () => {
						const localFile = path.default.join(localDirectory, file);
						const remoteFile = path.default.join(remoteDirectory, file);
						try {
							await this.getFile(localFile, remoteFile, sftp, transferOptions);
							tick(localFile, remoteFile, null);
						} catch (_) {
							failed = true;
							tick(localFile, remoteFile, _);
						}
					}).catch(reject);
				});
				resolve(queue.waitTillIdle());
			});
		} finally {
			if (!givenSftp) sftp.end();
		}
		return !failed;
	}
	forwardIn(remoteAddr, remotePort, onConnection) {
		const connection = this.getConnection();
		return new Promise((resolve, reject) => {
			connection.forwardIn(remoteAddr, remotePort, (error, port) => {
				if (error) {
					reject(error);
					return;
				}
				const handler = (details, acceptConnection, rejectConnection) => {
					if (details.destIP === remoteAddr && details.destPort === port) onConnection === null || onConnection === void 0 || onConnection(details, acceptConnection, rejectConnection);
				};
				if (onConnection) connection.on("tcp connection", handler);
				const dispose = () => {
					return new Promise((_resolve, _reject) => {
						connection.off("tcp connection", handler);
						connection.unforwardIn(remoteAddr, port, (_error) => {
							if (_error) _reject(error);
							_resolve();
						});
					});
				};
				resolve({
					port,
					dispose
				});
			});
		});
	}
	forwardOut(srcIP, srcPort, dstIP, dstPort) {
		const connection = this.getConnection();
		return new Promise((resolve, reject) => {
			connection.forwardOut(srcIP, srcPort, dstIP, dstPort, (error, channel) => {
				if (error) {
					reject(error);
					return;
				}
				resolve(channel);
			});
		});
	}
	forwardInStreamLocal(socketPath, onConnection) {
		const connection = this.getConnection();
		return new Promise((resolve, reject) => {
			connection.openssh_forwardInStreamLocal(socketPath, (error) => {
				if (error) {
					reject(error);
					return;
				}
				const handler = (details, acceptConnection, rejectConnection) => {
					if (details.socketPath === socketPath) onConnection === null || onConnection === void 0 || onConnection(details, acceptConnection, rejectConnection);
				};
				if (onConnection) connection.on("unix connection", handler);
				const dispose = () => {
					return new Promise((_resolve, _reject) => {
						connection.off("unix connection", handler);
						connection.openssh_unforwardInStreamLocal(socketPath, (_error) => {
							if (_error) _reject(_error);
							_resolve();
						});
					});
				};
				resolve({ dispose });
			});
		});
	}
	forwardOutStreamLocal(socketPath) {
		const connection = this.getConnection();
		return new Promise((resolve, reject) => {
			connection.openssh_forwardOutStreamLocal(socketPath, (error, channel) => {
				if (error) {
					reject(error);
					return;
				}
				resolve(channel);
			});
		});
	}
	dispose() {
		if (this.connection) {
			this.connection.end();
			this.connection = null;
		}
	}
};

// src/ssh/host-key-policy.ts
/** Who `host` must prove to be. Trusts nobody where `trust` is empty. */
function hostKeyPolicy(trust, host) {
	const found = lookUp(trust.knownHosts ?? [], host);
	const onRecord = require_run.algorithmsFor(new Set(found.trusted.map((entry) => entry.keyType)));
	return {
		algorithms: onRecord.length > 0 ? onRecord : [...require_run.MODERN_ALGORITHMS],
		judge: (key) => {
			const message = objection(trust, found, key);
			return message === void 0 ? { ok: true } : {
				ok: false,
				message
			};
		}
	};
}
function lookUp(entries, host) {
	const names = require_run.lookupNames(host);
	const about = entries.filter((entry) => require_run.matchesHost(entry.hosts, names));
	const bare = host.name.toLowerCase();
	return {
		name: names[0] ?? bare,
		trusted: about.filter((entry) => entry.marker === "none"),
		revoked: about.filter((entry) => entry.marker === "revoked"),
		authorities: about.filter((entry) => entry.marker === "cert-authority"),
		otherPorts: entries.filter((entry) => entry.marker === "none" && namesAnotherPort(entry, bare))
	};
}
function namesAnotherPort(entry, bare) {
	if (entry.hosts.kind === "hashed") return require_run.matchesHost(entry.hosts, [bare]);
	return entry.hosts.allowed.some((pattern) => pattern === bare || pattern.startsWith(`[${bare}]:`));
}
/** Undefined: the key is to be trusted. */
function objection(trust, found, key) {
	const revoked = found.revoked.find((entry) => entry.key.equals(key));
	if (revoked !== void 0) return revokedMessage(found, revoked);
	if (trust.knownHosts === void 0 && trust.pins.length === 0) return unknownMessage(found, key);
	const byRecord = trust.knownHosts === void 0 ? void 0 : recordObjection(found, key);
	if (trust.pins.length === 0 || trust.pins.includes(require_run.fingerprintOf(key))) return byRecord !== void 0 && trust.pins.length > 0 ? `${byRecord} The input fingerprint names this key, but where both are given both must agree.` : byRecord;
	return byRecord ?? pinMessage(trust, found, key);
}
function recordObjection(found, key) {
	if (found.trusted.length === 0) return unknownMessage(found, key);
	return found.trusted.some((entry) => entry.key.equals(key)) ? void 0 : mismatchMessage(found, key);
}
function mismatchMessage(found, key) {
	const expected = found.trusted.map((entry) => `${described(entry.key)}, known-hosts line ${entry.line}`);
	return `the host key of ${found.name} is not the one on record: expected ${expected.join(" or ")}; found ${described(key)}. Either the host got a new key, or the name now leads to another machine, or somebody stands in between. Before the record is changed, ${howToCompare(key)}.`;
}
function unknownMessage(found, key) {
	return `no known-hosts line and no fingerprint vouches for this host (looked up: ${found.name}).${hints(found)} The server shows ${described(key)}; before it is put on record, ${howToCompare(key)}.`;
}
function hints(found) {
	const authority = found.authorities[0];
	if (authority !== void 0) return ` Line ${authority.line} names a @cert-authority for it, which is unsupported by this transport: list the host's own key, or use transport: openssh.`;
	const other = found.otherPorts[0];
	if (other === void 0) return "";
	return ` Line ${other.line} is about the same name at another port, which says nothing about this one.`;
}
function revokedMessage(found, entry) {
	return `the host key of ${found.name} is revoked: known-hosts line ${entry.line} (@revoked) names ${described(entry.key)}, and that is the key found. Expected any other: give the host a new key.`;
}
function pinMessage(trust, found, key) {
	const both = trust.knownHosts === void 0 ? "" : " known-hosts has this key, but where both are given both must agree.";
	return `the host key of ${found.name} is not a pinned one: expected ${trust.pins.join(" or ")} (input fingerprint); found ${described(key)}.${both} Before the pin is changed, ${howToCompare(key)}.`;
}
function described(key) {
	return `${require_run.fingerprintOf(key)} (${require_run.keyTypeOf(key)})`;
}
function howToCompare(key) {
	const type = require_run.keyTypeOf(key);
	return `compare with what \`ssh-keygen -lf /etc/ssh/ssh_host_${type.includes(" ") ? "*" : type.replace(/^ssh-|-sha2-.*$/g, "")}_key.pub\` prints on the host itself, reached another way (its console, the provider's panel)`;
}

// src/connection/diagnosis.ts
function diagnose(seen) {
	if (seen.objection !== void 0) return hostKeyFailure(seen, seen.objection);
	if (require_run.messageOf(seen.error).includes("no matching host key format")) return hostKeyFailure(seen, otherKeyTypes(seen));
	if (errorLevel(seen.error) === "client-timeout") return timeoutFailure(seen);
	const network = require_socket.networkFault(seen.error);
	if (network.transient) return unreachable(seen, network.finding, true);
	return seen.handshakeDone ? loginFailure(seen) : handshakeFailure(seen);
}
function unreachable(seen, finding, transient) {
	return {
		reason: "unreachable",
		sentence: `expected an SSH server; found ${finding}`,
		transient,
		cause: seen.error
	};
}
function hostKeyFailure(seen, sentence) {
	return {
		reason: "host-key",
		sentence,
		transient: false,
		cause: seen.error
	};
}
function otherKeyTypes(seen) {
	return `${`expected a host key of a type on record (${seen.hostKeyAlgorithms.join(", ")})`}; found a server that has only ${offersOf(seen, "Host key format")}`;
}
function timeoutFailure(seen) {
	return unreachable(seen, `TCP connected, but ${seen.handshakeDone ? "the login did not come to an end" : "it did not get through the SSH handshake"} in time`, false);
}
function handshakeFailure(seen) {
	const message = require_run.messageOf(seen.error);
	const nothing = /no matching (?:key exchange algorithm|\S+ \w+)/.exec(message);
	if (nothing !== null) {
		const offers = seen.serverOffers.join("; ");
		return unreachable(seen, `one with which no safe algorithm is shared (${nothing[0]}; it offers ${offers})`, false);
	}
	if (/before handshake|No response from server/.test(message)) return unreachable(seen, "it closed the connection at once (too many logins at the same time, or a block list)", true);
	if (/identification string|expected newline/.test(message)) return unreachable(seen, "something that does not speak SSH 2", false);
	return unreachable(seen, `the SSH handshake failed: ${message}`, false);
}
function loginFailure(seen) {
	return {
		reason: "auth",
		sentence: `expected to log in as ${seen.login.user} with ${seen.login.offered}; found ${loginFinding(seen)}`,
		transient: false,
		cause: seen.error
	};
}
function loginFinding(seen) {
	const message = require_run.messageOf(seen.error);
	if (errorLevel(seen.error) === "agent") return `the agent failed: ${message}`;
	const allowed = seen.login.allowed.length === 0 ? "" : ` (the server allows: ${seen.login.allowed.join(", ")})`;
	if (/too many authentication failures/i.test(message)) return "the server gave up after too many keys: give the one key as the input `key`, or an agent with fewer keys";
	if (seen.login.partial) return `the key is accepted, but the server demands a second proof${allowed}`;
	if (message === "All configured authentication methods failed") return `refused${allowed}`;
	return require_socket.errorCode(seen.error) === "" && /No response/.test(message) ? "the server hung up" : `${message}${allowed}`;
}
function offersOf(seen, what) {
	const prefix = `(remote) ${what}: `;
	const line = seen.serverOffers.find((offer) => offer.startsWith(prefix));
	return line === void 0 ? "others" : line.slice(prefix.length).replaceAll(",", ", ");
}
function errorLevel(error) {
	return error instanceof Error && "level" in error ? error.level : void 0;
}

// src/connection/link.ts
/** Half a second for the goodbye to leave; a peer that does not read any more must not hold the process. */
const GOODBYE = 500;
/** Takes over a client that has just logged in on `socket`. */
function keepLink(client, socket, keepalive) {
	const controller = new AbortController();
	const listeners = /* @__PURE__ */ new Set();
	let over;
	const finish = (cause) => {
		if (over !== void 0) return false;
		over = cause;
		stopWatching();
		for (const listener of listeners) listener(cause);
		listeners.clear();
		return true;
	};
	const lose = (cause) => {
		if (over !== void 0) return;
		controller.abort(cause);
		finish(cause);
		socket.destroy();
	};
	const stopWatching = watchPulse(socket, keepalive, lose);
	client.on("error", (error) => lose(causeOf(error)));
	client.on("end", () => lose("the server closed the connection"));
	client.on("close", () => lose("the connection was closed"));
	if (socket.destroyed || socket.readableEnded) lose("the server closed the connection");
	return {
		lost: controller.signal,
		get over() {
			return over;
		},
		onOver(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
		close() {
			if (finish("the connection was closed by this run")) sayGoodbye(client, socket);
		}
	};
}
/**
* ssh2 sends the pings but counts their answers only, which queue behind an upload on a slow line: any byte from the
* server is a sign of life here.
*/
function watchPulse(socket, keepalive, lose) {
	let seen = socket.bytesRead;
	let silent = 0;
	const timer = setInterval(() => {
		silent = socket.bytesRead === seen ? silent + 1 : 0;
		seen = socket.bytesRead;
		if (silent > keepalive.count) lose(`no sign of life for ${keepalive.interval * silent / 1e3} s`);
	}, keepalive.interval);
	return () => clearInterval(timer);
}
function sayGoodbye(client, socket) {
	client.end();
	const timer = setTimeout(() => socket.destroy(), GOODBYE);
	timer.unref();
	socket.once("close", () => clearTimeout(timer));
	socket.destroySoon();
}
function causeOf(error) {
	const fault = require_socket.networkFault(error);
	return fault.transient ? fault.finding : require_run.messageOf(error);
}

// src/connection/login.ts
/** A sentence where there is nothing to log in with. The key where one is given, else the agent. Passwords, keyboard-interactive and agent forwarding are never used. */
function prepareLogin(user, ssh) {
	const credential = ssh.key === void 0 ? agentCredential(user, ssh) : keyCredential(user, ssh);
	if (typeof credential === "string") return credential;
	let tried = false;
	const login = {
		user,
		offered: credential.offered,
		allowed: [],
		partial: false
	};
	const handler = (allowed, partial) => {
		login.allowed = allowed ?? [];
		login.partial = partial === true;
		if (tried) return false;
		tried = true;
		return credential.method;
	};
	return Object.assign(login, { handler });
}
function keyCredential(user, ssh) {
	const [key] = [import_lib.default.utils.parseKey(ssh.key ?? "", ssh.passphrase)].flat();
	if (key === void 0 || key instanceof Error) return `expected a private key that can be read; found ${key?.message ?? "none"}`;
	const offered = `the given key (${key.type}, ${require_run.fingerprintOf(key.getPublicSSH())})`;
	return {
		method: {
			type: "publickey",
			username: user,
			key: withoutSha1(key)
		},
		offered
	};
}
const SHA1_ONLY = "the server takes RSA keys with SHA-1 signatures only, which are refused: use an ed25519 key";
/** ssh2 falls back to SHA-1 where a server does not say which signatures it accepts; this ends the login instead. */
function withoutSha1(key) {
	const sign = key.sign.bind(key);
	return Object.assign(key, { sign: (data, algorithm) => {
		if (algorithm === "sha1") throw new Error(SHA1_ONLY);
		return sign(data, algorithm);
	} });
}
function agentCredential(user, ssh) {
	if (ssh.agent === void 0 || ssh.agent === "") return "expected a private key or an SSH agent to log in with; found neither";
	const agent = import_lib.default.createAgent(ssh.agent);
	const sign = agent.sign.bind(agent);
	Object.assign(agent, { sign: (key, data, options, done) => {
		if (options.hash === "sha1") done?.(/* @__PURE__ */ new Error(SHA1_ONLY));
		else sign(key, data, options, done);
	} });
	const offered = `the keys of the agent at ${ssh.agent} (certificates and security keys in it are not usable here)`;
	return {
		method: {
			type: "agent",
			username: user,
			agent
		},
		offered
	};
}

// src/connection/exec-channel.ts
/** Gives a running command of ssh2 the manners of the port: its end is always told, and nothing waits for ever. */
function execChannel(raw, link) {
	const stdin = stdinOf(raw);
	const { promise: ended, resolve } = Promise.withResolvers();
	let exit;
	const finish = (end) => {
		forget();
		resolve(end);
		if (!stdin.writableFinished) stdin.destroy(new Error(NOT_READ));
	};
	const forget = link.onOver((cause) => finish({
		kind: "lost",
		cause
	}));
	raw.on("error", ignore$1);
	raw.stderr.on("error", ignore$1);
	raw.on("exit", (code, signal) => {
		if (code !== null) exit = {
			kind: "exit",
			code
		};
		else if (signal !== void 0) exit = {
			kind: "signal",
			signal
		};
	});
	raw.on("close", () => finish(exit ?? {
		kind: "lost",
		cause: "the channel closed without telling how the command ended"
	}));
	const abort = () => {
		finish({
			kind: "lost",
			cause: "given up by this run"
		});
		raw.close();
	};
	return {
		stdin,
		stdout: raw,
		stderr: raw.stderr,
		ended,
		abort
	};
}
const NOT_READ = "the command does not read its input any more";
function stdinOf(raw) {
	return new node_stream.Writable({
		highWaterMark: 262144,
		write: (chunk, _encoding, done) => {
			if (raw.writable) raw.write(chunk, (error) => done(error));
			else done(/* @__PURE__ */ new Error(NOT_READ));
		},
		final: (done) => {
			raw.end();
			done();
		}
	}).on("error", ignore$1);
}
/** A stream's fault is told by `ended`; without a listener it would end the process. */
function ignore$1() {}

// src/connection/tunnel.ts
/**
* A forwarded connection as a stream that can be destroyed and that closes, like a socket: ssh2's own cannot. A lost
* link destroys it with a DialError of the kind `lost`, `close()` without an error.
*/
function tunnelStream(raw, link) {
	const stream = new node_stream.Duplex({
		allowHalfOpen: false,
		read: () => raw.resume(),
		write: (chunk, _encoding, done) => {
			raw.write(chunk, (error) => done(error));
		},
		final: (done) => {
			raw.end();
			done();
		},
		destroy: (error, done) => {
			forget();
			raw.close();
			raw.resume();
			done(error);
		}
	});
	const forget = link.onOver((cause) => stream.destroy(link.lost.aborted ? new require_run.DialError("lost", cause) : void 0));
	raw.on("error", (error) => stream.destroy(error));
	raw.on("data", (chunk) => {
		if (!stream.destroyed && !stream.push(chunk)) raw.pause();
	});
	raw.on("end", () => stream.push(null));
	raw.on("close", () => {
		if (!stream.writableFinished) stream.destroy();
	});
	return stream;
}
/** What a refusal to open a channel to `to` says about the service there (RFC 4254, section 5.1). */
function dialError(error, link, to) {
	const place = `${to.host}:${to.port}`;
	const message = require_run.messageOf(error);
	if (link.over !== void 0) return new require_run.DialError("lost", `cannot reach ${place} through the target: ${link.over}`);
	const reason = error instanceof Error && "reason" in error ? error.reason : void 0;
	if (reason === CONNECT_FAILED) return new require_run.DialError("refused", `${place} as seen on the target: ${message}`);
	if (reason === PROHIBITED || reason === UNKNOWN_TYPE) return new require_run.DialError("denied", `the target's SSH server does not allow a connection to ${place}: ${message}`);
	return new require_run.DialError("lost", `the target's SSH server could not open a connection to ${place}: ${message}`);
}
const PROHIBITED = 1;
const CONNECT_FAILED = 2;
const UNKNOWN_TYPE = 3;

// src/connection/session.ts
/** A logged-in client as the port: commands and forwarded connections, for as long as `link` holds. */
function openSession(client, link, about) {
	return {
		lost: link.lost,
		roundTripMs: about.roundTripMs,
		close: () => link.close(),
		start: async (command) => {
			try {
				return await opened((done) => client.exec(command, done), (raw) => execChannel(raw, link));
			} catch (error) {
				throw startError(error, link, about.place);
			}
		},
		dial: async (to) => {
			try {
				return await opened((done) => client.forwardOut("127.0.0.1", 0, to.host, to.port, done), (raw) => tunnelStream(raw, link));
			} catch (error) {
				throw dialError(error, link, to);
			}
		}
	};
}
/**
* Rejects as well where ssh2 throws at once, because the link is gone already. `wrap` runs within the callback: a short
* command's exit may lie in the same packet as the confirmation, and nobody would listen to it a microtask later.
*/
function opened(open, wrap) {
	return new Promise((resolve, reject) => {
		open((error, channel) => error ? reject(error) : resolve(wrap(channel)));
	});
}
function startError(error, link, place) {
	const expected = `${place}: expected to start a command`;
	if (link.over !== void 0) return new require_run.UpgradeError("connection-lost", `${expected}; found ${link.over}`, { cause: error });
	const message = `${expected}; the SSH server refused: ${require_run.messageOf(error)}`;
	return new require_run.UpgradeError("internal", message, { cause: error });
}

// src/connection/library.ts
const TRIES = 3;
const FIRST_PAUSE = 250;
const KEEPALIVE = {
	interval: 5e3,
	count: 3
};
/** What is offered besides host keys: nothing with SHA-1, CBC, ChaCha20 or a MAC over the plaintext. */
const ALGORITHMS = {
	kex: [
		"curve25519-sha256",
		"curve25519-sha256@libssh.org",
		"ecdh-sha2-nistp256",
		"ecdh-sha2-nistp384",
		"ecdh-sha2-nistp521",
		"diffie-hellman-group16-sha512",
		"diffie-hellman-group18-sha512",
		"diffie-hellman-group14-sha256"
	],
	cipher: [
		"aes128-gcm@openssh.com",
		"aes256-gcm@openssh.com",
		"aes128-ctr",
		"aes192-ctr",
		"aes256-ctr"
	],
	hmac: ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"],
	compress: ["none"]
};
/**
* Logs in over node-ssh. Rejects with UpgradeError: `unreachable`, `host-key`, `auth`. Only connecting is tried again,
* three times at most and all within `connectTimeout`, and only after faults that pass by themselves.
*/
async function connectLibrary(options) {
	const policy = policyOf(options);
	const deadline = performance.now() + options.ssh.connectTimeout;
	for (let tried = 1;; tried++) {
		const attempt = await connectOnce(options, {
			policy,
			timeLeft: deadline - performance.now()
		});
		if ("connection" in attempt) return attempt.connection;
		const { failure } = attempt;
		const wait = FIRST_PAUSE * 2 ** (tried - 1) * (.5 + Math.random());
		if (!failure.transient || tried === TRIES || performance.now() + wait >= deadline) throw upgradeError(options, failure, tried);
		options.log?.(`${placeOf(options)}: ${failure.sentence}; trying again (${tried + 1} of ${TRIES})`);
		await (0, node_timers_promises.setTimeout)(wait);
	}
}
function policyOf(options) {
	const { knownHosts: text, fingerprints: pins } = options.ssh;
	const known = text === void 0 ? void 0 : require_run.parseKnownHosts(text);
	if (known !== void 0 && known.problems.length > 0) throw new require_run.UpgradeError("host-key", `${placeOf(options)}: expected usable known-hosts; found ${known.problems.join("; ")}`);
	return hostKeyPolicy({
		pins,
		...known === void 0 ? {} : { knownHosts: known.entries }
	}, {
		name: options.host,
		port: options.port
	});
}
async function connectOnce(options, given) {
	const login = prepareLogin(options.user, options.ssh);
	if (typeof login === "string") return { failure: nothingToOffer(login) };
	const started = performance.now();
	let open;
	try {
		open = await require_socket.openSocket(options, given.timeLeft);
	} catch (error) {
		const { finding, transient } = require_socket.networkFault(error);
		return { failure: unreachable({ error }, finding, transient) };
	}
	const timeLeft = Math.max(1, given.timeLeft - (performance.now() - started));
	return logIn({
		options,
		policy: given.policy,
		login,
		open,
		timeLeft
	});
}
function nothingToOffer(sentence) {
	return {
		reason: "auth",
		sentence,
		transient: false,
		cause: void 0
	};
}
async function logIn(given) {
	const { options, policy, login } = given;
	const { socket, roundTripMs } = given.open;
	const seen = {
		objection: void 0,
		handshakeDone: false,
		serverOffers: []
	};
	require_socket.coalesceWrites(socket);
	const ssh = new NodeSSH();
	const connecting = ssh.connect({
		sock: socket,
		username: options.user,
		algorithms: {
			...ALGORITHMS,
			serverHostKey: policy.algorithms
		},
		hostVerifier: (key) => {
			const verdict = policy.judge(key);
			if (!verdict.ok) seen.objection = verdict.message;
			return verdict.ok;
		},
		authHandler: login.handler,
		readyTimeout: given.timeLeft,
		keepaliveInterval: (options.keepalive ?? KEEPALIVE).interval,
		keepaliveCountMax: Number.MAX_SAFE_INTEGER,
		debug: (line) => noteOffer(line, seen.serverOffers)
	});
	const client = ssh.connection;
	client?.on("error", ignore);
	client?.on("handshake", () => {
		seen.handshakeDone = true;
	});
	try {
		await connecting;
	} catch (error) {
		socket.destroy();
		return { failure: diagnose({
			...seen,
			error,
			hostKeyAlgorithms: policy.algorithms,
			login
		}) };
	}
	if (client === null) return { failure: unreachable({ error: void 0 }, "the connection ended while logging in", true) };
	const link = keepLink(client, socket, options.keepalive ?? KEEPALIVE);
	return { connection: openSession(client, link, {
		place: placeOf(options),
		roundTripMs
	}) };
}
function upgradeError(options, failure, tried) {
	const times = tried === 1 ? "" : ` (${tried} tries)`;
	const message = `${placeOf(options)}: ${failure.sentence}${times}`;
	return new require_run.UpgradeError(failure.reason, message, { cause: failure.cause });
}
function placeOf(options) {
	return options.host.includes(":") ? `[${options.host}]:${options.port}` : `${options.host}:${options.port}`;
}
function noteOffer(line, offers) {
	if (line.startsWith("Handshake: (remote) ")) offers.push(line.slice(11));
}
function ignore() {}

exports.connectLibrary = connectLibrary;
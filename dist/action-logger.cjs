const require_core = require("./core.cjs");
const require_run = require("./run.cjs");

// src/inputs/from-action.ts
const PREFIX = "INPUT_";
/** What a runner says of itself that hands the inputs of a wrapping action along to its steps. GitHub's does not. */
const HANDS_ALONG = ["GITEA_ACTIONS", "FORGEJO_ACTIONS"];
/**
* The inputs as a runner hands them over: `INPUT_` and the name in upper case, spaces as underscores, dashes kept.
* `raw` holds names that are no inputs too: they are mistakes, but where `othersMayBeThere`.
*/
function readActionInputs(variables) {
	const raw = /* @__PURE__ */ new Map();
	for (const [variable, value] of Object.entries(variables)) {
		if (!variable.startsWith(PREFIX) || value === void 0) continue;
		raw.set(variable.slice(6).toLowerCase(), value);
	}
	return {
		raw,
		othersMayBeThere: HANDS_ALONG.some((name) => variables[name] === "true")
	};
}

// src/report/action-logger.ts
/** GitHub cuts an annotation at 4,096 characters. */
const ANNOTATION_BYTES = 4e3;
/**
* The log of a step on GitHub, Gitea or Forgejo. Groups do not nest there: one opened while another is open (hosts
* side by side) is a plain title line.
*/
function createActionLogger({ mask }) {
	const clean = (message) => require_run.harmlessLines(message, { mask }).join("\n");
	let depth = 0;
	return {
		info: (message) => require_core.info(clean(message)),
		detail: (message) => require_core.info(clean(message)),
		warning: (message) => require_core.warning(require_run.clip(clean(message), ANNOTATION_BYTES)),
		async group(title, body) {
			depth += 1;
			if (depth === 1) require_core.startGroup(clean(title));
			else require_core.info(clean(title));
			try {
				return await body();
			} finally {
				depth -= 1;
				if (depth === 0) require_core.endGroup();
			}
		}
	};
}

Object.defineProperty(exports, "createActionLogger", {
  enumerable: true,
  get: function () {
    return createActionLogger;
  }
});
Object.defineProperty(exports, "readActionInputs", {
  enumerable: true,
  get: function () {
    return readActionInputs;
  }
});
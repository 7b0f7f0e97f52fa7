import * as core from '@actions/core';
import type { Logger } from './logger.ts';
import type { Mask } from './mask.ts';
import { clip, harmlessLines } from './relay.ts';

/** GitHub cuts an annotation at 4,096 characters. */
const ANNOTATION_BYTES = 4_000;

/**
 * The log of a step on GitHub, Gitea or Forgejo. Groups do not nest there: one opened while another is open (hosts
 * side by side) is a plain title line.
 */
export function createActionLogger({ mask }: { mask: Mask }): Logger {
  const clean = (message: string) => harmlessLines(message, { mask }).join('\n');
  let depth = 0;
  return {
    info: (message) => core.info(clean(message)),
    detail: (message) => core.info(clean(message)),
    warning: (message) => core.warning(clip(clean(message), ANNOTATION_BYTES)),
    async group(title, body) {
      depth += 1;
      if (depth === 1) core.startGroup(clean(title));
      else core.info(clean(title));
      try {
        return await body();
      } finally {
        depth -= 1;
        if (depth === 0) core.endGroup();
      }
    },
  };
}

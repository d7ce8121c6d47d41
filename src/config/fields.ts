import { z } from 'zod';
import { addressProblem, baseUrlProblem } from './base-url.ts';
import { HOST_WANTED, parseHost } from './host.ts';
import { LONGEST_DURATION, parseDuration, parseRate, parseSize, type Rate } from './units.ts';

/**
 * The kinds of values that options take. Each says in plain words what it wants ("must be …"), and
 * each accepts `${VAR}` in the JSON Schema, since that is what stands in the file.
 */

/** The JSON Schema pattern of a text with a `${VAR}` in it. */
export const VARIABLE = String.raw`\$\{.+\}`;
const orVariable = (pattern: string): string => `^(${pattern})$|${VARIABLE}`;

const DURATION = 'must be a duration like 500ms, 30s, 5m or 2h';
export const duration = z
  .string(DURATION)
  .transform((text, ctx) => {
    const ms = parseDuration(text);
    if (ms === undefined) return refuse(ctx, DURATION);
    return ms > 0 && ms <= LONGEST_DURATION ? ms : refuse(ctx, 'must be above 0 and at most 596h');
  })
  .meta({ pattern: orVariable(String.raw`\s*\d+(\.\d+)?\s*([mM]?[sS]|[mMhH])\s*`) });

const SIZE = 'must be a size like 512kb, 100mb or 1gb';
export const size = z
  .string(SIZE)
  .transform((text, ctx) => {
    const bytes = parseSize(text);
    return bytes !== undefined && bytes > 0 && Number.isSafeInteger(bytes)
      ? bytes
      : refuse(ctx, SIZE);
  })
  .meta({ pattern: orVariable(String.raw`\s*\d+(\.\d+)?\s*([kKmMgG][iI]?)?[bB]\s*`) });

const RATE = 'must be a rate like 10/s, 60/m or 1000/h';
export const rate = z
  .string(RATE)
  .transform((text, ctx): Rate => parseRate(text) ?? refuse(ctx, RATE))
  .meta({ pattern: orVariable(String.raw`\s*\d+(\.\d+)?\s*/\s*[sSmMhH]\s*`) });

interface Bounds {
  readonly whole?: boolean;
  /** Inclusive. */
  readonly min?: number;
  /** Exclusive. */
  readonly above?: number;
  readonly max?: number;
}

/** A number, which may also come from `${VAR}` and so as text. */
export function numeric({ whole = false, min, above, max }: Bounds) {
  const kind = whole ? 'a whole number' : 'a number';
  let range = '';
  if (min !== undefined)
    range = max === undefined ? ` of ${min} or more` : ` from ${min} to ${max}`;
  else if (above !== undefined)
    range = max === undefined ? ` above ${above}` : ` above ${above} and at most ${max}`;
  const wanted = `must be ${kind}${range}`;
  return z
    .union([z.number(), z.string()], wanted)
    .transform((given, ctx) => {
      const plain = typeof given === 'number' || /^\s*-?\d+(\.\d+)?\s*$/.test(given);
      const value = plain ? Number(given) : Number.NaN;
      const fits =
        (whole ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
        value >= (min ?? -Infinity) &&
        value > (above ?? -Infinity) &&
        value <= (max ?? Infinity);
      return fits ? value : refuse(ctx, wanted);
    })
    .meta({
      anyOf: [
        {
          type: whole ? 'integer' : 'number',
          ...(min !== undefined && { minimum: min }),
          ...(above !== undefined && { exclusiveMinimum: above }),
          ...(max !== undefined && { maximum: max }),
        },
        {
          type: 'string',
          pattern: orVariable(whole ? String.raw`\s*\d+\s*` : String.raw`\s*\d+(\.\d+)?\s*`),
        },
      ],
    });
}

const FLAG = 'must be true or false';
/** A yes or no, which may also come from `${VAR}` and so as text. */
export const flag = z
  .union([z.boolean(), z.string()], FLAG)
  .transform((given, ctx) => {
    const value = typeof given === 'string' ? given.trim() : String(given);
    return value === 'true' || (value === 'false' ? false : refuse(ctx, FLAG));
  })
  .meta({
    anyOf: [{ type: 'boolean' }, { type: 'string', pattern: orVariable('true|false') }],
  });

export const host = z
  .string()
  .min(1)
  .transform((text, ctx) => parseHost(text) ?? refuse(ctx, HOST_WANTED));

/** Text that is not empty. */
export const text = z.string().min(1);

export const urlPath = z.string().regex(/^\/\S*$/, 'must be a path like /v1/chat/completions');

export const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~\w-]+$/, 'must be the name of a header, like x-api-key');

const ADDRESS_PATTERN = orVariable(String.raw`[hH][tT][tT][pP][sS]?://.+`);
export const address = checkedText(addressProblem).meta({ pattern: ADDRESS_PATTERN });
export const baseUrl = checkedText(baseUrlProblem).meta({ pattern: ADDRESS_PATTERN });

function checkedText(problemOf: (text: string) => string | undefined): z.ZodString {
  return z.string().check((ctx) => {
    const message = problemOf(ctx.value);
    if (message) ctx.issues.push({ code: 'custom', message, input: ctx.value });
  });
}

function refuse(ctx: z.RefinementCtx, message: string): never {
  ctx.addIssue({ code: 'custom', message });
  return z.NEVER;
}

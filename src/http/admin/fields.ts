import { z } from 'zod';

/** Values of a query or a path, which come as text. */

/** A whole number. */
export function whole({ min, max }: { readonly min: number; readonly max: number }) {
  const wanted = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .transform((text, ctx) => {
      const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
      if (value >= min && value <= max) return value;
      ctx.addIssue({ code: 'custom', message: wanted });
      return z.NEVER;
    })
    .meta({ type: 'integer', minimum: min, maximum: max });
}

/** A yes or no; the name alone is a yes. */
export const flag = z
  .string()
  .transform((text, ctx) => {
    if (['', 'true', '1'].includes(text)) return true;
    if (['false', '0'].includes(text)) return false;
    ctx.addIssue({ code: 'custom', message: 'must be true or false' });
    return z.NEVER;
  })
  .meta({ type: 'boolean' });

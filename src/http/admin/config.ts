import { z } from 'zod';
import type { Reloaded } from '../../config/reloaded.ts';
import { gatewayError } from '../errors.ts';
import type { Gateway } from '../gateway.ts';
import { whole } from './fields.ts';
import { problem } from './schemas.ts';

const version = z.number().int().meta({ description: 'The entry of the history.' });

export const configAnswer = z
  .object({
    file: z.string().exactOptional().meta({ description: 'Absent: there is none.' }),
    editable: z.boolean().meta({ description: 'Whether the API can change it: no code can be.' }),
    version,
    appliedAt: z.number(),
    text: z.string().exactOptional().meta({
      description: 'As it is on disk, with `***` in the place of secrets.',
    }),
    effective: z.record(z.string(), z.unknown()).meta({
      description: 'What is applied, with defaults filled in and units read; secrets are masked.',
    }),
  })
  .meta({ id: 'Config' });

export const newConfig = z.strictObject({
  text: z.string().meta({
    description: 'In the language of the file; a secret as `***` stays what it is.',
  }),
  version: version.optional().meta({
    description: 'The version that was looked at: when another one is applied by now, it is a 409.',
  }),
});

export const configText = newConfig.pick({ text: true });

export const applied = z
  .object({
    version,
    diff: z.array(z.string()).meta({ description: 'What changed, a line each.' }),
    warnings: z.array(z.string()),
    restartNeeded: z.array(z.string()).meta({
      description: 'Settings that were changed and only hold after a restart.',
    }),
  })
  .meta({ id: 'Applied' });

export type Applied = z.output<typeof applied>;

export const validation = z
  .object({
    valid: z.boolean(),
    problems: z.array(problem),
    warnings: z.array(z.string()),
    diff: z.array(z.string()).meta({ description: 'What it would change, a line each.' }),
  })
  .meta({ id: 'Validation' });

const historyEntry = z.object({
  version,
  at: z.number().meta({ description: 'Milliseconds since the epoch.' }),
  source: z.enum(['start', 'edit', 'api', 'rollback', 'signal']),
  diff: z.array(z.string()),
  invalid: z.literal(true).exactOptional().meta({
    description: 'It was never applied; it is kept because something took its place.',
  }),
  current: z.boolean().meta({ description: 'It is the one that is applied.' }),
});

export const history = z.array(historyEntry.meta({ id: 'HistoryEntry' }));

export const historyVersion = historyEntry
  .extend({ text: z.string().meta({ description: 'With `***` in the place of secrets.' }) })
  .meta({ id: 'HistoryVersion' });

export const versionNumber = z.object({ n: whole({ min: 1, max: 999_999_999 }) });

/** The config as it may be shown. */
export async function readConfig({ live }: Gateway): Promise<z.output<typeof configAnswer>> {
  const { file, version, appliedAt } = live.status();
  return {
    ...(file !== undefined && { file, text: await live.edits.read() }),
    editable: live.edits.possible,
    version,
    appliedAt,
    effective: live.edits.effective(),
  };
}

/** The latest first. */
export async function readHistory({ live }: Gateway): Promise<z.output<typeof history>> {
  const { version: current } = live.status();
  const entries = (await live.history?.list()) ?? [];
  return entries.map(({ diff, ...entry }) => ({
    ...entry,
    diff: [...diff],
    current: entry.version === current,
  }));
}

/** @throws EditError `missing` when it is not in the history. */
export async function readVersion(
  { live }: Gateway,
  n: number,
): Promise<z.output<typeof historyVersion>> {
  const { diff, ...entry } = await live.edits.version(n);
  return { ...entry, diff: [...diff], current: n === live.status().version };
}

/**
 * What came of a change of the config, or of a reload.
 * @param refused What is said before the mistakes.
 * @throws HttpError `invalid_config` (422) with the place of each mistake.
 */
export function outcomeOf(
  reloaded: Reloaded,
  refused = 'The config was not changed, as it would not be valid:',
): Applied {
  if (reloaded.kind === 'applied') {
    const { version, diff, warnings, restartNeeded } = reloaded;
    return {
      version,
      diff: [...diff],
      warnings: [...warnings],
      restartNeeded: [...restartNeeded],
    };
  }
  const { problems } = reloaded;
  const lines = problems.map(({ file, line, column, message }) =>
    [[file, line, column].filter((part) => part !== undefined).join(':'), message].join(': '),
  );
  const message = [refused, ...lines].join(lines.length === 1 ? ' ' : '\n');
  throw gatewayError('invalid_config', message, { problems });
}

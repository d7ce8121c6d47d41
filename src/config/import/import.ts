import type { Adapter } from '../../adapters/adapter.ts';
import { ConfigError } from '../problem.ts';
import { readForeignFile, readForeignText, type ForeignConfig } from './foreign-file.ts';
import type { Imported } from './imported.ts';
import { fromJAiRouter, isJAiRouter } from './jairouter.ts';
import { fromLiteLLM, isLiteLLM } from './litellm.ts';

export interface ImportOptions {
  /** As the user named it. */
  readonly file: string;
  /** What it says, where it was not a file that was named. */
  readonly text?: string | undefined;
  readonly cwd: string;
  readonly adapters: Readonly<Record<string, Adapter>>;
}

/**
 * Makes our config of another gateway's: the Java JAiRouter's YAML, or LiteLLM's `config.yaml`.
 *
 * @throws ConfigError when the file can't be read, or is neither.
 */
export async function importConfig(options: ImportOptions): Promise<Imported> {
  const { file, text, cwd, adapters } = options;
  const foreign =
    text === undefined ? await readForeignFile(file, cwd) : await readForeignText(text, file, cwd);
  const imported = convert(foreign, adapters);
  if (!imported) {
    const message =
      'is neither a JAiRouter config (model.services.*.instances) nor one of LiteLLM (model_list)';
    throw new ConfigError([{ file, path: '', message }]);
  }
  const left = [
    ...foreign.missing.map(({ file: what, why }) => ({ what, why: `it is named, and ${why}` })),
    ...foreign.profiles.map((profile) => ({
      what: `the profile ${profile}`,
      why: 'only what always holds is read; import its file apart',
    })),
    ...imported.left,
  ];
  return { ...imported, left };
}

function convert(
  { data }: ForeignConfig,
  adapters: ImportOptions['adapters'],
): Imported | undefined {
  if (isLiteLLM(data)) return fromLiteLLM(data, adapters);
  return isJAiRouter(data) ? fromJAiRouter(data, adapters) : undefined;
}

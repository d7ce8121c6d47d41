import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { ConfigFormat } from '../config/text.ts';
import { renderConfig, type NewInstance } from '../config/write.ts';
import { discover, type DiscoverOptions, type Found } from '../instances/discovery.ts';
import { about, listing } from './found-list.ts';
import { refuseSecondConfig, shadowOf, writeNewConfig } from './new-config.ts';
import { BadAnswer, openQuestions, type Questions } from './questions.ts';
import { paintFor, type Output } from './terminal.ts';
import { UserError } from './user-error.ts';

export interface InitOptions {
  readonly yes?: boolean;
  readonly format: ConfigFormat;
  readonly force?: boolean;
}

/** Where `init` runs. */
export interface Surroundings {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly input: Readable & { readonly isTTY?: boolean | undefined };
  readonly output: Output;
  /** Where to look for backends, in place of the well-known ports. */
  readonly ports?: DiscoverOptions['ports'];
}

/** What the user wants, or what is taken without asking. */
interface Plan {
  readonly included: readonly Found[];
  readonly port: number;
  /** Absolute. */
  readonly file: string;
  readonly format: ConfigFormat;
}

const PORT = 4747;

/** The command `init`: writes a config of what is found, and says how to go on. */
export async function init(options: InitOptions, around = here()): Promise<void> {
  const { cwd, env, input, output, ports } = around;
  const interactive = input.isTTY === true && output.isTTY === true && !options.yes;
  if (!options.yes && !interactive) {
    throw new UserError(
      'init asks questions, and this is no terminal: add --yes to include all that is found',
      2,
    );
  }
  const file = join(cwd, `jairouter.config.${options.format}`);
  if (!options.force) await refuseSecondConfig(file, around);

  const paint = paintFor(output, env);
  output.write('Looking for backends on this machine and for API keys ...\n');
  const found = await discover({
    env,
    ...(ports && { ports }),
    ...(interactive && {
      onProgress: (done, total) =>
        void output.write(`\r\u001B[K${done < total ? `${done} of ${total} ports` : ''}`),
    }),
  });
  const offered = found.filter((one) => one.usable || one.apiKeyVariable !== undefined);
  output.write(`${[...listing(found, offered, paint)].join('\n')}\n`);

  const usual: Plan = { included: offered, port: PORT, file, format: options.format };
  const plan = interactive
    ? await askFor(usual, { offered, force: options.force === true }, around)
    : usual;
  const instances = plan.included.length > 0 ? plan.included.map(instanceOf) : [EXAMPLE];
  const text = renderConfig({ format: plan.format, port: plan.port, instances });
  await writeNewConfig({ file: plan.file, text, force: options.force, cwd });
  const lines = [...nextSteps(plan, found, around), ...(await shadowOf(plan.file, around))];
  output.write(`${lines.join('\n')}\n`);
}

function here(): Surroundings {
  const { env, stdin: input, stdout: output } = process;
  return { cwd: process.cwd(), env, input, output };
}

async function askFor(
  usual: Plan,
  { offered, force }: { offered: readonly Found[]; force: boolean },
  { cwd, input, output }: Surroundings,
): Promise<Plan> {
  const questions = openQuestions(input, output);
  try {
    const included = offered.length > 0 ? await askWhich(questions, offered) : [];
    const port = await questions.ask('Port to serve on', {
      usual: String(usual.port),
      read: readPort,
    });
    const target = await questions.ask('File to write', {
      usual: relative(cwd, usual.file),
      read: (answer) => {
        const target = readTarget(answer, cwd);
        if (force || !existsSync(target.file)) return target;
        throw new BadAnswer(`${answer} is here already; init --force writes over it.`);
      },
    });
    return { included, port, ...target };
  } finally {
    questions.close();
  }
}

function askWhich(questions: Questions, offered: readonly Found[]): Promise<readonly Found[]> {
  return questions.ask('Which to include: all, none, or numbers like 1,3', {
    usual: 'all',
    read(answer) {
      if (answer === 'all') return offered;
      if (answer === 'none') return [];
      const numbers = new Set(answer.split(/[\s,]+/).map(Number));
      const chosen = offered.filter((_, index) => numbers.has(index + 1));
      if (chosen.length === numbers.size) return chosen;
      throw new BadAnswer(`Please answer all, none, or numbers from 1 to ${offered.length}.`);
    },
  });
}

function readPort(answer: string): number {
  const port = Number(answer);
  if (/^\d+$/.test(answer) && port >= 1 && port <= 65_535) return port;
  throw new BadAnswer('Please answer a port from 1 to 65535.');
}

function readTarget(answer: string, cwd: string): { file: string; format: ConfigFormat } {
  const format = /\.(ya?ml|json|ts)$/.exec(answer)?.[1]?.replace('yml', 'yaml');
  if (format) return { file: resolve(cwd, answer), format: format as ConfigFormat };
  throw new BadAnswer('Please answer a file that ends in .yaml, .json or .ts.');
}

/** Stands in a config that nothing was found for. */
const EXAMPLE: NewInstance = {
  name: 'laptop',
  adapter: 'ollama',
  baseUrl: 'http://127.0.0.1:11434',
  comment:
    'Nothing was found running here: this is an example. Put your own backends in its place.',
};

function instanceOf(found: Found): NewInstance {
  const { name, adapter, baseUrl, apiKeyVariable } = found;
  const comment = about(found);
  return {
    name,
    adapter,
    baseUrl,
    ...(apiKeyVariable !== undefined && { apiKeyVariable }),
    ...(comment && { comment: `Found by init: ${comment}` }),
  };
}

function* nextSteps(
  { included, file, port }: Plan,
  found: readonly Found[],
  { cwd, env, output }: Surroundings,
): Generator<string> {
  const { good, strong } = paintFor(output, env);
  const name = relative(cwd, file);
  yield '';
  yield `${good('✓')} ${name} is written.`;
  if (included.length === 0) {
    const why = found.length === 0 ? 'No backend was found' : 'No backend was included';
    yield `  ${why}, so it has an example: put your own backends in its place,`;
    yield '  or start Ollama (https://ollama.com), which it names.';
  }
  const locked = included.filter((one) => !one.usable && one.apiKeyVariable);
  for (const { name: instance, apiKeyVariable } of locked) {
    yield env[apiKeyVariable!]
      ? `  ${instance} refuses the key in ${apiKeyVariable}: set the right one.`
      : `  ${instance} wants a key: set ${apiKeyVariable}, or put it into ${envFile(name)}.`;
  }
  const isFound = dirname(file) === resolve(cwd) && name.startsWith('jairouter.config.');
  yield '';
  yield `Next:  ${strong(isFound ? 'jairouter serve' : `jairouter serve -c ${name}`)}`;
  yield `then point your tools at http://127.0.0.1:${port}/v1`;
}

/** The `.env` file that is read with a config. */
function envFile(config: string): string {
  return join(dirname(config), '.env');
}

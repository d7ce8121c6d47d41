import { formatCount } from '../format.ts';
import { findServer, type ServerOptions } from './find-server.ts';
import { print, printJson, printText } from './output.ts';
import { table, type Column } from './table.ts';
import { columnsOf, paintFor } from './terminal.ts';

export interface ModelsOptions extends ServerOptions {
  readonly json?: boolean;
}

/** A row of `GET /admin/models`. */
interface Model {
  readonly model: string;
  readonly kind: 'alias' | 'catalogue' | 'pattern';
  readonly services: readonly string[];
  readonly contextLength?: number;
  readonly otherNames: readonly string[];
  readonly instances: readonly {
    readonly instance: string;
    readonly model: string;
    readonly state: string;
    readonly loaded?: boolean;
  }[];
  readonly fallback: readonly string[];
}

/** The command `models`. */
export async function models(options: ModelsOptions): Promise<void> {
  const server = await findServer(options);
  const all = await server.get<readonly Model[]>('/admin/models');
  if (options.json) return printJson(all);
  const { stdout, env } = process;
  const { strong, faint } = paintFor(stdout, env);
  if (all.length === 0) return printText(['no instance has told of a model yet']);
  const columns: Column<Model>[] = [
    { title: 'model', cell: ({ model }) => model, flexible: true, paint: strong },
    { title: 'services', cell: ({ services }) => services.join(', '), flexible: true, rank: 2 },
    { title: 'context', cell: contextText, right: true, rank: 3 },
    { title: 'in memory', cell: loadedText, flexible: true, rank: 1 },
    { title: 'instances', cell: instancesText, flexible: true },
    { title: 'also', cell: alsoText, flexible: true, rank: 4 },
  ];
  print(table(columns, all, { width: columnsOf(stdout), head: faint }));
}

function contextText({ contextLength }: Model): string {
  return contextLength === undefined ? '' : formatCount(contextLength);
}

function loadedText({ instances }: Model): string {
  const told = instances.filter(({ loaded }) => loaded !== undefined);
  const loaded = told.filter((one) => one.loaded);
  if (told.length === 0 || loaded.length === instances.length)
    return told.length === 0 ? '' : 'yes';
  return loaded.length === 0 ? 'no' : `on ${loaded.map(({ instance }) => instance).join(', ')}`;
}

/** Of an alias: with the name that the instance has for it. */
function instancesText({ kind, instances }: Model): string {
  return instances
    .map(({ instance, model, state }) => {
      const well = state === 'healthy' || state === 'unknown';
      const name = kind === 'alias' ? `${instance}/${model}` : instance;
      return well ? name : `${name} (${state})`;
    })
    .join(', ');
}

function alsoText({ otherNames, fallback }: Model): string {
  return [...otherNames, ...(fallback.length > 0 ? [`else ${fallback.join(', ')}`] : [])].join(
    ', ',
  );
}

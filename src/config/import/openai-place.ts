import type { Adapter } from '../../adapters/adapter.ts';
import type { Operation } from '../../service.ts';
import type { ConfigInput } from '../schema.ts';
import type { InstanceInput } from './imported.ts';

/** Adapters of ours, by name, and those that the new config needs besides. */
export interface Adapters {
  readonly known: Readonly<Record<string, Adapter>>;
  readonly own: OwnAdapters;
}

export type OwnAdapters = Record<
  string,
  Exclude<NonNullable<ConfigInput['adapters']>[string], string>
>;

/** How an instance that speaks OpenAI's dialect is reached. */
export interface Place {
  readonly adapter: string;
  /** Absent where it is the adapter's own. */
  readonly baseUrl?: string;
}

/**
 * @param root The address with the version of the API, before a path such as `/chat/completions`.
 * @param operation What is called there; other adapters may not have it.
 */
export function openaiPlace(root: string, operation: Operation, { known, own }: Adapters): Place {
  const cloud = Object.values(known).find(
    (adapter) => adapter.operations[operation] && rootOf(adapter) === root,
  );
  if (cloud) return { adapter: cloud.name };
  const versioned = /^(.+)\/v1$/.exec(root)?.[1];
  if (versioned !== undefined) return { adapter: 'openai', baseUrl: versioned };
  own['openai-plain'] = { extends: 'openai', prefix: '' };
  return { adapter: 'openai-plain', baseUrl: root };
}

/** @returns An adapter that is as OpenAI's but for the one path. */
export function adapterOfPath(path: string, operation: Operation, { own }: Adapters): string {
  const words = path.match(/[A-Za-z0-9]+/g) ?? ['path'];
  const usual = `openai-${words.join('-')}`;
  for (let number = 1; ; number++) {
    const name = number === 1 ? usual : `${usual}-${number}`;
    const paths = own[name]?.paths ?? {};
    if ((paths[operation] ?? path) !== path) continue;
    own[name] = { extends: 'openai', paths: { ...paths, [operation]: path } };
    return name;
  }
}

/**
 * @returns The adapters with the models of their instances, where those are all named: nobody has asked
 * such a backend for a list before, and it may have none.
 */
export function withModels(
  own: OwnAdapters,
  instances: Readonly<Record<string, InstanceInput>>,
): OwnAdapters {
  return Object.fromEntries(
    Object.entries(own).map(([name, definition]) => {
      const lists = Object.values(instances)
        .filter(({ adapter }) => adapter === name)
        .map(({ models }) => models);
      const isOpen = lists.some((models) => models?.some((model) => model.includes('*')) ?? true);
      return [name, isOpen ? definition : { ...definition, models: [...new Set(lists.flat())] }];
    }),
  ) as OwnAdapters;
}

/** The part of a path of OpenAI's that stands behind the version. */
export function unversioned(path: string): string {
  return path.replace(/^\/v1(?=\/)/, '');
}

/** Where a service in the cloud has its chat, if that is the dialect that it speaks there. */
function rootOf({ cloud, baseUrl, operations }: Adapter): string | undefined {
  const path = operations.chat?.path;
  if (!cloud || baseUrl === undefined || !path?.endsWith(CHAT)) return undefined;
  return baseUrl + path.slice(0, -CHAT.length);
}

const CHAT = '/chat/completions';

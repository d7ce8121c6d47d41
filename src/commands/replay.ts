import { serviceOf } from '../service.ts';
import type { OfferedModel } from '../connect/tool.ts';
import type { Recording } from '../recording/recording.ts';
import { connectAdmin } from './admin-client.ts';
import { accessTo } from './connect-endpoint.ts';
import { openLiveList } from './live-list.ts';
import { instanceStates, offeredModels } from './offered-models.ts';
import { print, printJson } from './output.ts';
import { NoModel, replayCall, type Replayed } from './replay-call.ts';
import { readRecordings } from './replay-files.ts';
import {
  comparisonTable,
  diffLines,
  doneLine,
  problemLines,
  replayJson,
  summaryLine,
} from './replay-report.ts';
import { columnsOf, paintFor } from './terminal.ts';

export interface ReplayOptions {
  /** An instance, `INSTANCE/MODEL`, or a model; absent: wherever each call is routed. */
  readonly to?: string;
  readonly url?: string;
  readonly key?: string;
  readonly diff?: boolean;
  readonly strict?: boolean;
  readonly json?: boolean;
}

/**
 * The command `replay`: makes recorded calls again, one after the other so that their times can be
 * compared, and tells how the answers differ. It ends with 0 when all are answered with the status
 * that they had, and with `strict` the same text and calls of tools; else with 1.
 */
export async function replay(files: readonly string[], options: ReplayOptions): Promise<void> {
  const recordings = await readRecordings(files);
  const { url, own, key } = await accessTo(options);
  const choose = await chooserFor(options.to, { url, own, key });
  const paint = paintFor(process.stdout, process.env);
  const { stderr, stdout } = process;
  // On a terminal it shows how far it is; what is printed stays for whoever reads on.
  const progress =
    stderr.isTTY && !options.json
      ? openLiveList(
          stderr,
          recordings.map(({ file }) => file),
        )
      : undefined;
  const server = connectAdmin({ url, own, token: '' });
  const all: Replayed[] = [];
  for (const [index, recording] of recordings.entries()) {
    const replayed = await replayCall(server, recording, { choose, key });
    all.push(replayed);
    progress?.finish(index, [doneLine(replayed, paint)]);
  }
  progress?.close();
  const isFine = ({ same }: Replayed): boolean =>
    same.status && (!options.strict || (same.text && same.calls));
  const ok = all.every(isFine);
  if (!ok) process.exitCode = 1;
  if (options.json) {
    printJson(replayJson(all, { url, to: options.to, ok }));
    return;
  }
  if (progress) stdout.write('\n');
  print([
    ...comparisonTable(all, { paint, width: columnsOf(stdout) }),
    ...problemLines(all, paint),
    ...(options.diff ? diffLines(all, paint) : []),
    '',
    summaryLine(all, ok, paint),
  ]);
}

/** What each call is to ask for. The choice throws NoModel where there is none. */
async function chooserFor(
  to: string | undefined,
  {
    url,
    own,
    key,
  }: { readonly url: string; readonly own: boolean; readonly key: string | undefined },
): Promise<(recording: Recording) => string | undefined> {
  const instances = await instanceStates(url, own);
  if (to === undefined || !(to in instances)) return () => to;
  const listed = await offeredModels(url, { own, key });
  const offered = listed.filter((model) => !model.alias && model.instances?.includes(to));
  return (recording) => `${to}/${modelOn(to, recording, offered)}`;
}

/** The model of an instance that stands for the one that was asked for. */
function modelOn(
  instance: string,
  { request, route, operation }: Recording,
  offered: readonly OfferedModel[],
): string {
  const asked = request.model?.replace(`${instance}/`, '');
  const names = [asked, route.model].filter((name) => name !== undefined);
  const same = names.find((name) =>
    offered.some(({ id }) => id === name || id === `${name}:latest`),
  );
  if (same !== undefined) return same;
  // One that lists none may know it all the same.
  if (offered.length === 0 && asked !== undefined) return asked;
  const service = serviceOf(operation);
  const able = offered.filter(({ services }) => services?.includes(service) ?? true);
  if (able.length === 1) return able[0]!.id;
  if (able.length === 0) throw new NoModel(`${instance} has no model for ${service}`);
  const some = able.slice(0, 5).map(({ id }) => id);
  throw new NoModel(
    `${instance} has no "${asked ?? 'model'}": name one with --to ${instance}/MODEL, such as ${some.join(', ')}`,
  );
}

import { isRoomy } from '../layout.ts';
import type { Line } from '../line.ts';
import { headerHeight, seen, serverTime, type State } from '../state.ts';
import type { Page } from '../view.ts';
import { callLines } from './call.ts';
import { choiceLines } from './choice.ts';
import { curlLines } from './curl.ts';
import { helpLines } from './help.ts';
import { instanceLines } from './instance.ts';
import { newsLines } from './news.ts';
import { paragraph } from './page.ts';
import { replayLines } from './replay.ts';

/** What a page says, and how much of that is seen. */
export interface PageView {
  readonly title: string;
  readonly lines: readonly Line[];
  /** Of the lines, those that there is room for. */
  readonly height: number;
  readonly width: number;
  /** The first line that is seen, and how far that can be moved. */
  readonly offset: number;
  readonly last: number;
}

/** @returns The page on top as it is seen now. */
export function viewPage(page: Page, state: State): PageView {
  const { columns, rows } = state.size;
  const framed = isRoomy(state.size);
  const width = columns - (framed ? 4 : 2);
  const height = Math.max(1, rows - headerHeight(state) - 1 - (framed ? 2 : 1));
  const lines = [...problemLines(page, width), ...linesOf(page, state, width)];
  const last = Math.max(0, lines.length - height);
  // Of things to choose from, the chosen one is seen.
  const offset = page.kind === 'choice' ? Math.max(0, page.index - height + 1) : page.scroll;
  return { title: titleOf(page), lines, height, width, offset: Math.min(offset, last), last };
}

function titleOf(page: Page): string {
  switch (page.kind) {
    case 'help':
      return 'Help';
    case 'failed':
      return 'That did not work';
    case 'instance':
      return `Instance ${page.name}`;
    case 'call':
      return `Call ${page.call.id}`;
    case 'news':
      return `Event, ${page.news.kind}`;
    case 'curl':
      return 'The call as a command';
    case 'replay':
      return `Replay of ${page.call.id}`;
    case 'choice':
      return page.title;
  }
}

function problemLines({ problem }: Page, width: number): readonly Line[] {
  return problem === undefined ? [] : [...paragraph(`✗ ${problem}`, width, 'bad'), []];
}

function linesOf(page: Page, state: State, width: number): readonly Line[] {
  switch (page.kind) {
    case 'help':
      return helpLines(page.bindings, width);
    case 'failed':
      return [];
    case 'instance': {
      const { name, detail } = page;
      const instance = seen(state).status?.instances.find((one) => one.name === name);
      return instanceLines({ instance, detail, now: serverTime(state) }, width);
    }
    case 'call':
      return callLines(page, width);
    case 'news':
      return newsLines(page.news, width);
    case 'curl':
      return curlLines(page, width);
    case 'replay':
      return replayLines(page, width);
    case 'choice':
      return choiceLines(page, width);
  }
}

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { schema } from '../../../src/config/schema.ts';
import { ERRORS, type ErrorCode } from '../../../src/http/errors.ts';
import {
  classify,
  QUOTA_REST,
  ROWS,
  type AttemptEnd,
} from '../../../src/gateway/protect/classify.ts';
import { LIMITERS } from '../../../src/gateway/protect/limiters/index.ts';

const docs = new URL('../../../docs/', import.meta.url);
const page = readFileSync(new URL('protection.md', docs), 'utf8');

/** The cells of the rows of the table whose first column is called so. */
function table(name: string): string[][] {
  const lines = page.split('\n');
  const head = lines.findIndex((line) => line.startsWith(`| ${name} `));
  const body = lines.slice(head + 2);
  return body.slice(0, body.indexOf('')).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const decisions = table('what happened').map(
  ([what = '', row = '', retried, breaker, instance = '', client = '']) => ({
    what,
    row: row.slice(1, -1),
    retried,
    breaker,
    instance,
    client,
  }),
);

type Row = (typeof ROWS)[number];
const cool = (row: Row) => ('cool' in row ? row.cool : undefined);

/** What the page must say of an instance, by what the code does with it. */
function instanceCell(row: Row): RegExp {
  if ('misconfigured' in row) return /^`misconfigured` until a probe/;
  if ('health' in row) return /^`unhealthy` until a probe/;
  if ('loading' in row) {
    return row.loading === 'instance' ? /^`loading` until a probe/ : /^is asked for this model/;
  }
  switch (cool(row)) {
    case 'quota':
      return new RegExp(`^rests ${QUOTA_REST / 60_000} minutes$`);
    case 'rest':
      return /^rests as long as it asks, or backs off$/;
    case 'asked':
      return /^rests if it asks$/;
    default:
      return /^–$/;
  }
}

describe('docs/protection.md', () => {
  it('has a row for each row of the table in the code, in its order', () => {
    expect(decisions.map(({ row }) => row)).toEqual(ROWS.map(({ name }) => name));
  });

  it.each(ROWS.map((row, index) => ({ row, said: decisions[index]! })))(
    'says what is made of: $said.what',
    ({ row, said }) => {
      expect(said.retried).toBe(row.retry === 'never' ? 'no' : row.retry);
      expect(said.breaker).toBe(row.breaker === 'none' ? '–' : row.breaker);
      expect(said.instance).toMatch(instanceCell(row));
      const statuses = (said.what.match(/\b[45]\d\d\b/g) ?? []).map(Number);
      expect(statuses).toEqual(typeof row.on === 'string' ? [] : row.on);
      // Beside the statuses, the row wants certain words; without that, the statuses are enough.
      if (typeof row.on !== 'string') expect(said.what.includes(', and ')).toBe('says' in row);
    },
  );

  it('agrees with what is decided, where a row looks at no words', () => {
    const plain = { type: 'server_error', code: null, message: 'no' };
    const ends = (on: Row['on']): AttemptEnd[] => {
      if (on === 'done' || on === 'aborted' || on === 'untranslatable') return [{ kind: on }];
      const trouble = { kind: 'answer', body: plain, committed: false } as const;
      if (on === '4xx') return [{ ...trouble, status: 404 }];
      if (on === 'answer') return [{ ...trouble, status: 505 }];
      if (typeof on === 'string') return [{ ...trouble, kind: on, status: 502 }];
      return on.map((status) => ({ ...trouble, status }));
    };
    for (const [index, row] of ROWS.entries()) {
      if ('says' in row) continue;
      const said = decisions[index]!;
      for (const end of ends(row.on)) {
        const { name, retry, breaker } = classify(end);
        expect([
          name,
          retry === 'never' ? 'no' : retry,
          breaker === 'none' ? '–' : breaker,
        ]).toEqual([said.row, said.retried, said.breaker]);
      }
    }
  });

  it('names our own errors with the status that they have', () => {
    const named = [...page.matchAll(/\b(\d{3}) `([a-z_]+)`/g)];
    expect(named.length).toBeGreaterThan(5);
    for (const [, status, code] of named) {
      expect([code, ERRORS[code as ErrorCode]?.status]).toEqual([code, Number(status)]);
    }
  });

  it('explains each algorithm of a rate limit', () => {
    const named = table('algorithm').map(([name = '']) => name.slice(1, -1));
    expect(named.toSorted()).toEqual(Object.keys(LIMITERS).toSorted());
  });

  it('shows a config that is valid', () => {
    const [, text = ''] = /```yaml\n([\s\S]+?)```/.exec(page) ?? [];
    expect(text).toContain('rateLimit');
    expect(schema.safeParse(parse(text)).error?.issues).toBeUndefined();
  });

  it('links to headings and files that exist', () => {
    const headings = (text: string) =>
      [...text.matchAll(/^##+ (.+)$/gm)].map(([, title = '']) =>
        title
          .toLowerCase()
          .replaceAll(/[^\w\- ]/g, '')
          .replaceAll(' ', '-'),
      );
    const links = [...page.matchAll(/\]\(([^)#]*)#?([^)]*)\)/g)];
    expect(links.length).toBeGreaterThan(8);
    for (const [, file = '', heading = ''] of links) {
      const there = new URL(file === '' ? 'protection.md' : file, docs);
      expect([file, existsSync(there)]).toEqual([file, true]);
      if (heading) expect(headings(readFileSync(there, 'utf8'))).toContain(heading);
    }
  });
});

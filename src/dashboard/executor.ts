import { formatClock } from '../format.ts';
import type { RecentCall } from '../observe/status.ts';
import { curlFor } from './curl.ts';
import type { Actions, CallDetail } from './feed.ts';
import type { Order } from './order.ts';
import type { State } from './state.ts';
import type { Option, Page, View } from './view.ts';

/** What carrying out an order needs. */
export interface OrderContext {
  readonly feed: { readonly url: string };
  readonly actions: Actions;
  readonly state: () => State;
  /** Changes the view, as it is by then. */
  readonly look: (update: (view: View) => View) => void;
  readonly say: (text: string, tone: 'good' | 'bad' | 'accent') => void;
  readonly copy: (text: string) => void;
  readonly suspend: () => void;
  readonly leave: () => void;
}

/** Carries out an order; what comes of it is seen later. */
export function execute(order: Order, context: OrderContext): void {
  const { actions, look, say } = context;
  switch (order.do) {
    case 'change':
      say(`${order.instance} …`, 'accent');
      void report(actions.change(order.instance, order.change), order.done, context);
      return;
    case 'breaker':
      void report(actions.breaker(order.instance, order.action), order.done, context);
      return;
    case 'reload':
      void report(actions.reload(), 'the config has been read again', context);
      return;
    case 'rollback':
      void report(
        actions.rollback(order.version),
        `the config is again as it was in version ${order.version}`,
        context,
      );
      return;
    case 'load':
      refresh(context);
      return;
    case 'history':
      loadHistory(context);
      return;
    case 'curl':
      void withDetail(order.call, context, (detail) => showCommand(order.call, detail, context));
      return;
    case 'targets':
      chooseTarget(order.call, context);
      return;
    case 'replay':
      replay(order, context);
      return;
    case 'ask':
      look((view) => ({
        ...view,
        prompt: { kind: 'confirm', question: order.question, order: order.order },
      }));
      return;
    case 'suspend':
      context.suspend();
      return;
    case 'leave':
      context.leave();
  }
}

/** Gets the data of the page on top: when it is opened, and anew with each snapshot. */
export function refresh(context: OrderContext): void {
  const page = context.state().view.pages.at(-1);
  if (page?.kind === 'instance') {
    void context.actions.instance(page.name).then(
      (detail) => fill(context, page, (now) => ({ ...now, detail, problem: undefined })),
      (error: unknown) => fill(context, page, (now) => ({ ...now, problem: messageOf(error) })),
    );
  }
  // A call that is over does not change.
  if (page?.kind === 'call' && page.call.captured && !page.detail) {
    void context.actions.call(page.call.id).then(
      (detail) => fill(context, page, (now) => ({ ...now, detail, problem: undefined })),
      (error: unknown) => fill(context, page, (now) => ({ ...now, problem: messageOf(error) })),
    );
  }
}

/** Changes a page, wherever it is by now, unless it has been closed. */
function fill<P extends Page>({ look }: OrderContext, page: P, update: (page: P) => P): void {
  look((view) => ({
    ...view,
    pages: view.pages.map((one) => (isSame(one, page) ? update(one as P) : one)),
  }));
}

/** The same page, though it has been scrolled or filled meanwhile. */
function isSame(a: Page, b: Page): boolean {
  if (a.kind === 'instance' && b.kind === 'instance') return a.name === b.name;
  if (a.kind === 'call' && b.kind === 'call') return a.call === b.call;
  if (a.kind === 'choice' && b.kind === 'choice') return a.title === b.title;
  if (a.kind === 'replay' && b.kind === 'replay') return a.detail === b.detail && a.to === b.to;
  return a === b;
}

function open({ look }: OrderContext, page: Page): void {
  look((view) => ({ ...view, pages: [...view.pages, page] }));
}

async function report(
  action: Promise<unknown>,
  done: string,
  { say }: OrderContext,
): Promise<void> {
  try {
    await action;
    say(done, 'good');
  } catch (error) {
    say(messageOf(error), 'bad');
  }
}

function loadHistory(context: OrderContext): void {
  const page = context.state().view.pages.at(-1)!;
  void context.actions.history().then(
    (versions) => {
      const options = versions.map(({ version, appliedAt, summary, current }): Option => {
        const remark = current ? `in effect; ${summary}` : summary;
        const rollback: Order = {
          do: 'ask',
          question: `Write version ${version} back into the config file?`,
          order: { do: 'rollback', version },
        };
        return {
          label: `${version}  ${day(appliedAt)} ${formatClock(appliedAt)}`,
          remark,
          order: rollback,
        };
      });
      fill(context, page, (now) => (now.kind === 'choice' ? { ...now, options } : now));
    },
    (error: unknown) => fill(context, page, (now) => ({ ...now, problem: messageOf(error) })),
  );
}

async function withDetail(
  call: RecentCall,
  context: OrderContext,
  use: (detail: CallDetail | undefined) => void,
): Promise<void> {
  if (!call.captured) {
    use(undefined);
    return;
  }
  try {
    use(await context.actions.call(call.id));
  } catch (error) {
    context.say(messageOf(error), 'bad');
  }
}

function showCommand(
  call: RecentCall,
  detail: CallDetail | undefined,
  context: OrderContext,
): void {
  const { command, remark } = curlFor(call, { url: context.feed.url, request: detail?.request });
  context.copy(command);
  open(context, { kind: 'curl', command, remark, scroll: 0, problem: undefined });
}

function chooseTarget(call: RecentCall, context: OrderContext): void {
  const { say, state } = context;
  if (!call.captured) {
    say('its body was not captured: set `capture` in the config to replay calls', 'bad');
    return;
  }
  void withDetail(call, context, (detail) => {
    if (!detail?.request || detail.request.cut) {
      say('its body was too long to be kept whole, and cannot be sent again', 'bad');
      return;
    }
    const instances = state().board.status?.instances ?? [];
    const option = (to: string | undefined, label: string, remark: string): Option => ({
      label,
      remark,
      order: { do: 'replay', detail, to },
    });
    open(context, {
      kind: 'choice',
      title: 'Send it again to',
      index: 0,
      scroll: 0,
      problem: undefined,
      options: [
        option(undefined, 'wherever it is routed', 'as any call'),
        ...instances.map(({ name, state: word, adapter }) =>
          option(name, name, `${adapter}, ${word}${name === call.instance ? ', as before' : ''}`),
        ),
      ],
    });
  });
}

function replay(
  { detail, to }: { readonly detail: CallDetail; readonly to: string | undefined },
  context: OrderContext,
): void {
  const page: Page = {
    kind: 'replay',
    detail,
    to,
    answer: undefined,
    scroll: 0,
    problem: undefined,
  };
  open(context, page);
  void context.actions.replay({ detail, to }).then(
    (answer) => fill(context, page, (now) => ({ ...now, answer })),
    (error: unknown) => fill(context, page, (now) => ({ ...now, problem: messageOf(error) })),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function day(time: number): string {
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

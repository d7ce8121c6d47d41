import { plain } from '../../format.ts';
import type { Line } from '../line.ts';
import { cut, widthOf } from '../text.ts';
import type { Option } from '../view.ts';

/** Things to choose from; the one that enter takes has an arrow before it. */
export function choiceLines(
  { options, index }: { readonly options: readonly Option[] | undefined; readonly index: number },
  width: number,
): readonly Line[] {
  if (!options) return [];
  if (options.length === 0) return [[['there is nothing to choose from', 'faint']]];
  const labels = Math.min(
    Math.floor(width / 2),
    Math.max(...options.map(({ label }) => widthOf(label))),
  );
  return options.map(({ label, remark }, number): Line => {
    const name = cut(label, labels);
    const blank = ' '.repeat(labels - widthOf(name) + 2);
    return number === index
      ? [['▸ ', 'accent'], [name, 'selected'], blank, plain(remark)]
      : ['  ', name, blank, [plain(remark), 'faint']];
  });
}

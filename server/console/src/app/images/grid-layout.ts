// SPDX-License-Identifier: Apache-2.0
const SMALLEST_TILE = 184;
// Two columns on the narrowest phones.
const SMALLEST_TILE_NARROW = 140;
const NARROW = 600;
const CAPTION = 56;

/** The positions of the grid's tiles: squares that fill the width, with a caption below. Lengths in px. */
export class GridLayout {
  readonly columns: number;
  readonly gap: number;
  /** The side of the square picture. */
  readonly side: number;
  readonly rowHeight: number;
  readonly rows: number;
  readonly height: number;

  constructor(
    width: number,
    readonly total: number,
  ) {
    const narrow = width < NARROW;
    this.gap = narrow ? 12 : 18;
    const smallest = narrow ? SMALLEST_TILE_NARROW : SMALLEST_TILE;
    this.columns = width > 0 ? Math.max(1, Math.floor((width + this.gap) / (smallest + this.gap))) : 0;
    this.side = this.columns > 0 ? (width - this.gap * (this.columns - 1)) / this.columns : 0;
    this.rowHeight = this.side + CAPTION + this.gap;
    this.rows = this.columns > 0 ? Math.ceil(total / this.columns) : 0;
    this.height = this.rows * this.rowHeight;
  }

  /** The visible tiles and `overscan` more rows on each side; last < first if there are none. */
  range(scrollTop: number, viewHeight: number, overscan: number): { first: number; last: number } {
    if (this.rows === 0) {
      return { first: 0, last: -1 };
    }
    const firstRow = Math.max(0, Math.floor(scrollTop / this.rowHeight) - overscan);
    const lastRow = Math.min(this.rows - 1, Math.ceil((scrollTop + viewHeight) / this.rowHeight) + overscan);
    return { first: firstRow * this.columns, last: Math.min(this.total, (lastRow + 1) * this.columns) - 1 };
  }

  firstVisible(scrollTop: number): number {
    const row = Math.ceil((scrollTop - 1) / this.rowHeight);
    return Math.max(0, Math.min(this.total - 1, row * this.columns)) || 0;
  }

  transform(index: number): string {
    const row = Math.floor(index / this.columns);
    const column = index % this.columns;
    return `translate(${column * (this.side + this.gap)}px, ${row * this.rowHeight}px)`;
  }

  topOf(index: number): number {
    return Math.floor(index / this.columns) * this.rowHeight;
  }

  rowsIn(viewHeight: number): number {
    return Math.max(1, Math.floor(viewHeight / this.rowHeight));
  }

  /** The scroll position nearest to the present one at which this tile is completely visible. */
  scrollFor(index: number, scrollTop: number, viewHeight: number): number {
    const top = this.topOf(index);
    const bottom = top + this.rowHeight;
    if (top < scrollTop) {
      return top;
    }
    return bottom > scrollTop + viewHeight ? bottom - viewHeight : scrollTop;
  }
}

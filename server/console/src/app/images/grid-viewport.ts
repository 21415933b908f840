// SPDX-License-Identifier: Apache-2.0
/**
 * What scrolls the grid: its own element, or the whole page in windows so low that the page scrolls as a whole.
 * Positions are in px below the top of the surface.
 */
export class GridViewport {
  private readonly low = matchMedia(LOW_WINDOW);

  constructor(
    private readonly scroller: HTMLElement,
    private readonly surface: HTMLElement,
  ) {}

  get height(): number {
    return this.low.matches ? innerHeight : this.scroller.clientHeight;
  }

  get top(): number {
    return this.low.matches ? Math.max(0, -this.surface.getBoundingClientRect().top) : this.scroller.scrollTop;
  }

  scrollTo(top: number): void {
    if (this.low.matches) {
      scrollTo({ top: scrollY + this.surface.getBoundingClientRect().top + top });
    } else {
      this.scroller.scrollTop = top;
    }
  }

  /** Calls `scrolled` and `resized` from now on; returns what ends that. */
  watch(scrolled: () => void, resized: () => void): () => void {
    const observer = new ResizeObserver(resized);
    observer.observe(this.scroller);
    const passive = { passive: true } as const;
    this.scroller.addEventListener('scroll', scrolled, passive);
    addEventListener('scroll', scrolled, passive);
    addEventListener('resize', resized);
    return () => {
      observer.disconnect();
      this.scroller.removeEventListener('scroll', scrolled);
      removeEventListener('scroll', scrolled);
      removeEventListener('resize', resized);
    };
  }
}

/** The same condition is in the style sheets, where it makes the page scroll as a whole. */
export const LOW_WINDOW = '(max-height: 480px)';

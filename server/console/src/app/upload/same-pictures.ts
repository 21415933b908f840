// SPDX-License-Identifier: Apache-2.0
import { firstValueFrom } from 'rxjs';

import { ImagesApi } from '../core/images-api';
import { ImageInfo, PageData } from '../core/model';

const PAGE_SIZE = 100;

/**
 * Finds the stored images that have a given size, by bisection of the server's list sorted by size. A page that
 * several sizes need is fetched once, so that many files cost little more than one.
 */
export class StoredBySize {
  private readonly pages = new Map<number, Promise<PageData<ImageInfo>>>();

  constructor(private readonly api: ImagesApi) {}

  async find(size: number): Promise<readonly ImageInfo[]> {
    let low = 0;
    let high = (await this.page(0)).totalPages;
    // The first page that ends with an image of at least this size.
    while (low < high) {
      const middle = (low + high) >> 1;
      const largest = (await this.page(middle)).data.at(-1)?.descriptor.size ?? Infinity;
      if (largest < size) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    const found: ImageInfo[] = [];
    for (let more = true; more; low++) {
      const { data, hasNext } = await this.page(low);
      found.push(...data.filter((image) => image.descriptor.size === size));
      more = hasNext && data.at(-1)?.descriptor.size === size;
    }
    return found;
  }

  private page(page: number): Promise<PageData<ImageInfo>> {
    let asked = this.pages.get(page);
    if (!asked) {
      asked = firstValueFrom(this.api.list({ page, pageSize: PAGE_SIZE, sortProperty: 'size', sortOrder: 'ASC' }, false));
      this.pages.set(page, asked);
    }
    return asked;
  }
}

// SPDX-License-Identifier: Apache-2.0
import { ImageRef } from '../core/model';

/** Selected images in the order of selection. Only what is needed to name and delete them is kept. */
export type Selection = readonly ImageRef[];

export function ref({ id, tenantId, title, resourceKey }: ImageRef): ImageRef {
  return { id, tenantId, title, resourceKey };
}

export function idsOf(images: readonly ImageRef[]): Set<string> {
  return new Set(images.map((image) => image.id.id));
}

/** `images` in addition to `selection`, each once and as they are in `images`. */
export function plus(selection: Selection, images: readonly ImageRef[]): Selection {
  return [...new Map([...selection, ...images].map((image) => [image.id.id, ref(image)])).values()];
}

export function minus(selection: Selection, images: readonly ImageRef[]): Selection {
  const ids = idsOf(images);
  return selection.filter((image) => !ids.has(image.id.id));
}

export function toggled(selection: Selection, image: ImageRef): Selection {
  return selection.some((other) => other.id.id === image.id.id) ? minus(selection, [image]) : plus(selection, [image]);
}

/** The selection with the present titles of the images among `fresh`. */
export function updated(selection: Selection, fresh: readonly ImageRef[]): Selection {
  const now = new Map(fresh.map((image) => [image.id.id, image]));
  return selection.map((image) => ref(now.get(image.id.id) ?? image));
}

// Checks a FlatBuffers buffer before any generated accessor touches it: the JavaScript library has no verifier, and its
// accessors follow whatever offsets they find. A shape names what a table's schema says, slot by slot; the check visits
// each place that an accessor could read, so that afterwards no accessor reads outside of the buffer.
//
//   root u32 ──> table: [vtable distance i32][field ...]
//   vtable: [vtable bytes u16][table bytes u16][field offset u16, 0 = absent] ...
//   string: [bytes u32][UTF-8 ...][0]     vector: [count u32][element ...]
//
// The work is bounded by the shape (a tree, which cannot recurse), the `countMax` of its vectors, and nothing else: a
// buffer in which a thousand offsets name the same table costs no more than a thousand small tables.

export type Slot =
  | { form: 'inline'; bytes: number; align: number }
  | { form: 'string'; bytesMax: number }
  | { form: 'vector'; elementBytes: number; align: number; countMax: number }
  | { form: 'strings'; countMax: number; bytesMax: number }
  | { form: 'table'; shape: TableShape }
  | { form: 'tables'; countMax: number; shape: TableShape };

/** Slots in the order of the schema's fields. */
export type TableShape = readonly Slot[];

export function inline(bytes: number, align = bytes): Slot {
  return { form: 'inline', bytes, align };
}

/** Verifies the finished buffer at [start, limit) of the view. Alignment counts from `start`. */
export function verifyTable(shape: TableShape, view: DataView, start: number, limit: number): boolean {
  return new TableVerifier(view, start, limit).verifyRoot(shape);
}

class TableVerifier {
  private readonly view: DataView;
  private readonly start: number;
  private readonly limit: number;

  constructor(view: DataView, start: number, limit: number) {
    this.view = view;
    this.start = start;
    this.limit = limit;
  }

  verifyRoot(shape: TableShape): boolean {
    if (this.start < 0 || this.limit > this.view.byteLength) return false;
    const table = this.follow(this.start);
    return table >= 0 && this.verifyShape(shape, table);
  }

  private holds(offset: number, bytes: number, align: number): boolean {
    return offset >= this.start && offset + bytes <= this.limit && (offset - this.start) % align === 0;
  }

  /** Where the u32 offset at `offset` leads, or -1. What it leads to begins with four bytes of its own. */
  private follow(offset: number): number {
    if (!this.holds(offset, 4, 4)) return -1;
    const target = offset + this.view.getUint32(offset, true);
    return this.holds(target, 4, 4) ? target : -1;
  }

  private verifyShape(shape: TableShape, table: number): boolean {
    const vtable = table - this.view.getInt32(table, true);
    if (!this.holds(vtable, 4, 2)) return false;
    const vtableBytes = this.view.getUint16(vtable, true);
    const tableBytes = this.view.getUint16(vtable + 2, true);
    if (vtableBytes < 4 || vtableBytes % 2 !== 0 || !this.holds(vtable, vtableBytes, 2)) return false;
    if (tableBytes < 4 || !this.holds(table, tableBytes, 4)) return false;
    // Slots beyond the shape are from a newer schema: no accessor of ours reads them.
    const slotCount = Math.min(shape.length, (vtableBytes - 4) / 2);
    for (let slotIndex = 0; slotIndex < slotCount; slotIndex++) {
      const fieldOffset = this.view.getUint16(vtable + 4 + slotIndex * 2, true);
      if (fieldOffset === 0) continue;
      if (!this.verifySlot(shape[slotIndex], table + fieldOffset, table + tableBytes)) return false;
    }
    return true;
  }

  private verifySlot(slot: Slot, field: number, tableLimit: number): boolean {
    if (slot.form === 'inline') return field + slot.bytes <= tableLimit && this.holds(field, slot.bytes, slot.align);
    if (field + 4 > tableLimit) return false;
    const target = this.follow(field);
    if (target < 0) return false;
    switch (slot.form) {
      case 'string':
        return this.verifyString(target, slot.bytesMax);
      case 'vector':
        return this.verifyVector(target, slot.elementBytes, slot.align, slot.countMax);
      case 'strings':
        return this.verifyEach(target, slot.countMax, (element) => this.verifyString(element, slot.bytesMax));
      case 'table':
        return this.verifyShape(slot.shape, target);
      case 'tables':
        return this.verifyEach(target, slot.countMax, (element) => this.verifyShape(slot.shape, element));
    }
  }

  private verifyString(target: number, bytesMax: number): boolean {
    const bytes = this.view.getUint32(target, true);
    // One more for the zero that ends every string.
    return bytes <= bytesMax && this.holds(target + 4, bytes + 1, 1) && this.view.getUint8(target + 4 + bytes) === 0;
  }

  private verifyVector(target: number, elementBytes: number, align: number, countMax: number): boolean {
    const count = this.view.getUint32(target, true);
    return count <= countMax && this.holds(target + 4, count * elementBytes, align);
  }

  private verifyEach(target: number, countMax: number, verify: (element: number) => boolean): boolean {
    if (!this.verifyVector(target, 4, 4, countMax)) return false;
    const count = this.view.getUint32(target, true);
    for (let index = 0; index < count; index++) {
      const element = this.follow(target + 4 + index * 4);
      if (element < 0 || !verify(element)) return false;
    }
    return true;
  }
}

import { expect, it } from "vitest";
import { fromRateColumn, toRateColumn } from "./rate-column.ts";

it("keeps spans as they are, and none as NULL", () => {
  const spans = [
    { until: 1_800_003_600, rateMbit: 0.5 },
    { until: 1_802_588_400, rateMbit: null },
    { until: 1_802_588_401, rateMbit: 10 },
  ];
  expect(fromRateColumn(toRateColumn(spans))).toEqual(spans);
  expect([toRateColumn([]), fromRateColumn(null)]).toEqual([null, []]);
});

it.each(["", "7", "{}", "[1,2]", "[[1]]", '[["1",2]]', "[[1,0]]", "[[1,-5]]", "[[1,2,3]]", "[[1,2],[3]]"])(
  "takes %s for none",
  (text) => expect(fromRateColumn(text)).toEqual([]),
);

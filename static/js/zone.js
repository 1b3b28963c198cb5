// Adds the visitor's own time where their clock differs from the event's.

for (const line of document.querySelectorAll("[data-zone]")) {
  const [start, end] = [new Date(line.dataset.start), new Date(line.dataset.end)];
  const written = writePeriod(start, end);
  if (writePeriod(start, end, line.dataset.zone) === written) continue;
  line.querySelector("span").textContent = `${written}${nameZone(start)}`;
  line.hidden = false;
}

// Intl's own ranges are not what people write in Japanese.
function writePeriod(start, end, timeZone) {
  const [from, until] = [start, end].map((time) => writeParts(time, timeZone));
  const isJapanese = document.documentElement.lang === "ja";
  const write = ({ month, day, weekday, hour, minute }) =>
    isJapanese
      ? `${month}月${day}日（${weekday}）${hour}:${minute}`
      : `${weekday}, ${month} ${day}, ${hour}:${minute}`;
  const isOneDay = from.day === until.day;
  const dash = isJapanese ? "〜" : isOneDay ? "–" : " – ";
  return `${write(from)}${dash}${isOneDay ? `${until.hour}:${until.minute}` : write(until)}`;
}

function writeParts(time, timeZone) {
  const isJapanese = document.documentElement.lang === "ja";
  const format = new Intl.DateTimeFormat(isJapanese ? "ja" : "en", {
    timeZone,
    month: isJapanese ? "numeric" : "short",
    day: "numeric",
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const parts = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, value]));
  return { ...parts, month: parts.month.replace("月", "") };
}

function nameZone(time) {
  const format = new Intl.DateTimeFormat("en", { timeZoneName: "shortOffset" });
  const name = format.formatToParts(time).find(({ type }) => type === "timeZoneName").value;
  const zone = name.replace("GMT", "UTC");
  return document.documentElement.lang === "ja" ? `（${zone}）` : ` (${zone})`;
}

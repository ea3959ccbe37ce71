#include "explore/timeline_page.h"
#include "explore/page.h"
#include <algorithm>
#include <array>
#include <cmath>

namespace deltatwin {
namespace {

constexpr int line_height = 24, bar_height = 16, wait_height = 6; // pixels
constexpr int axis_height = 26, gap = 14, area_height = 40, area_top = 6;

// Of each Timeline::Kind.
constexpr std::array<const char*, Timeline::kinds> styles = {
    "in", "work", "other", "beside", "out", "wait-work", "wait-in", "wait-out", "wait-beside"};
const char* style_of(Timeline::Kind kind) { return styles[static_cast<std::size_t>(kind)]; }
bool is_wait(Timeline::Kind kind) { return kind >= Timeline::Kind::wait_work; }

// "1,234,567".
std::string grouped(Cycle number) {
  std::string text = std::to_string(number);
  for (int at = static_cast<int>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

std::string fixed(double value, int digits) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string attribute(const char* name, const std::string& value) {
  return std::string(" ") + name + "=\"" + value + "\"";
}
std::string attribute(const char* name, Cycle value) { return attribute(name, std::to_string(value)); }
std::string attribute(const char* name, int value) { return attribute(name, std::to_string(value)); }

// One timeline's drawing. Cycles are shares of its width, so that it can be stretched and text cannot.
class Drawing {
public:
  explicit Drawing(const Timeline& timeline)
      : timeline_(timeline), cycles_(timeline.last - timeline.first + 1) {}

  [[nodiscard]] std::string html() const {
    return "<div class=\"chart\"><div class=\"names\"><div class=\"axis\">cycles</div>\n" + names() +
           "</div><div class=\"scroll\">\n" + svg() + "</div></div>\n";
  }

private:
  [[nodiscard]] int lines_bottom() const {
    return axis_height + line_height * static_cast<int>(timeline_.lines.size());
  }
  [[nodiscard]] int height() const {
    return lines_bottom() + (timeline_.areas.empty() ? 0 : gap) +
           area_height * static_cast<int>(timeline_.areas.size());
  }
  [[nodiscard]] std::string percent(double cycle) const {
    return fixed(100 * cycle / static_cast<double>(cycles_), 4) + "%";
  }

  [[nodiscard]] std::string names() const {
    std::string html;
    for (const Timeline::Line& line : timeline_.lines) {
      Cycle busy = 0;
      for (const Timeline::Bar& bar : line.bars)
        if (!is_wait(bar.kind))
          busy += bar.last - bar.first + 1;
      html += "<div class=\"name\" title=\"" + in_html(line.name + ": " + line.detail) + "\"><b>" +
              in_html(line.name) + "</b><small>" + in_html(line.detail) + "</small><span>" +
              fixed(100 * static_cast<double>(busy) / static_cast<double>(cycles_), 1) + " %</span></div>\n";
    }
    if (!timeline_.areas.empty())
      html += "<div class=\"gap\"></div>\n";
    for (const Timeline::Area& area : timeline_.areas) {
      const int most = peak(area);
      html += "<div class=\"name area\"><b>" + in_html(area.name) + "</b><small>at most " +
              grouped(static_cast<Cycle>(most)) + " of " + grouped(static_cast<Cycle>(area.size)) + " " +
              in_html(area.unit) + "</small><span>" + fixed(100.0 * most / std::max(1, area.size), 0) +
              " %</span></div>\n";
    }
    return html;
  }

  static int peak(const Timeline::Area& area) {
    int most = 0;
    for (const auto& change : area.changes)
      most = std::max(most, change.second);
    return most;
  }

  [[nodiscard]] std::string svg() const {
    std::string svg = "<svg class=\"drawing\" role=\"img\"" + attribute("height", height()) +
                      attribute("aria-label", in_html(timeline_.title)) + attribute("data-cycles", cycles_) +
                      ">\n";
    for (std::size_t l = 0; l < timeline_.lines.size(); l += 2)
      svg += "<rect class=\"stripe\" width=\"100%\"" +
             attribute("y", axis_height + line_height * static_cast<int>(l)) +
             attribute("height", line_height) + "/>\n";
    svg += ticks();
    svg += "<svg width=\"100%\"" + attribute("y", axis_height) +
           attribute("height", lines_bottom() - axis_height) + " preserveAspectRatio=\"none\"" +
           attribute("viewBox",
                     "0 0 " + std::to_string(cycles_) + " " + std::to_string(lines_bottom() - axis_height)) +
           ">\n";
    for (std::size_t l = 0; l < timeline_.lines.size(); ++l)
      for (const Timeline::Bar& each : timeline_.lines[l].bars)
        svg += bar(each, line_height * static_cast<int>(l));
    svg += "</svg>\n";
    for (std::size_t a = 0; a < timeline_.areas.size(); ++a)
      svg += area(timeline_.areas[a], lines_bottom() + gap + area_height * static_cast<int>(a));
    return svg + "<line class=\"cursor\"" + attribute("y1", axis_height) + attribute("y2", height()) +
           "/>\n</svg>\n";
  }

  // About eight, and four times as many for a drawing that is enlarged.
  [[nodiscard]] std::string ticks() const {
    const double span = static_cast<double>(cycles_), raw = std::max(4.0, span / 8),
                 power = std::pow(10, std::floor(std::log10(raw)));
    double step = 10 * power;
    for (const double factor : {1.0, 2.0, 4.0})
      if (step == 10 * power && raw <= factor * power)
        step = factor * power;
    const auto fine = std::max<Cycle>(1, static_cast<Cycle>(step) / 4);
    std::string svg;
    for (Cycle at = 0; at < cycles_; at += fine) {
      const bool is_fine = at % static_cast<Cycle>(step) != 0;
      const std::string x = percent(static_cast<double>(at)), style = is_fine ? " fine" : "";
      svg += "<line class=\"tick" + style + "\"" + attribute("x1", x) + attribute("x2", x) +
             attribute("y1", axis_height - 5) + attribute("y2", height()) + "/>";
      if (static_cast<double>(at) < 0.94 * span) // or else it would be cut off
        svg += "<text class=\"number" + style + "\"" + attribute("x", x) + " dx=\"4\"" +
               attribute("y", axis_height - 9) + ">" + grouped(at) + "</text>";
      svg += "\n";
    }
    return svg;
  }

  [[nodiscard]] std::string bar(const Timeline::Bar& bar, int top) const {
    const bool wait = is_wait(bar.kind);
    const Cycle length = bar.last - bar.first + 1;
    const bool thin = length * 400 < cycles_; // an edge would be all of it
    const int high = wait ? wait_height : bar_height;
    return "<rect class=\"" + std::string(style_of(bar.kind)) + (bar.aside ? " aside" : "") +
           (thin ? " thin" : "") + "\"" + attribute("x", bar.first - timeline_.first) +
           attribute("y", top + (line_height - high) / 2) + attribute("width", length) +
           attribute("height", high) + "><title>" + in_html(bar.text) + "</title></rect>\n";
  }

  // Of each of some pixels the most.
  [[nodiscard]] std::string area(const Timeline::Area& area, int top) const {
    constexpr Cycle places = 1600;
    const Cycle each = (cycles_ + places - 1) / places;
    std::vector<int> most(static_cast<std::size_t>((cycles_ + each - 1) / each), 0);
    for (std::size_t c = 0; c < area.changes.size(); ++c) {
      const auto& [from, words] = area.changes[c];
      const Cycle until = c + 1 < area.changes.size() ? area.changes[c + 1].first : timeline_.last + 1;
      for (Cycle at = (from - timeline_.first) / each; at * each < until - timeline_.first; ++at)
        if (at < most.size())
          most[static_cast<std::size_t>(at)] = std::max(most[static_cast<std::size_t>(at)], words);
    }
    const int size = std::max(1, area.size);
    std::string path = "M0 " + std::to_string(size), values;
    for (std::size_t i = 0; i < most.size(); ++i) {
      if (i && most[i] == most[i - 1])
        continue;
      const Cycle at = static_cast<Cycle>(i) * each;
      path += "H" + std::to_string(at) + "V" + std::to_string(size - most[i]);
      values += (values.empty() ? "" : " ") + std::to_string(at) + ":" + std::to_string(most[i]);
    }
    path += "H" + std::to_string(cycles_) + "V" + std::to_string(size) + "Z";
    const int high = area_height - area_top;
    return "<svg class=\"bank\" width=\"100%\"" + attribute("y", top + area_top) + attribute("height", high) +
           " preserveAspectRatio=\"none\"" +
           attribute("viewBox", "0 0 " + std::to_string(cycles_) + " " + std::to_string(size)) +
           attribute("data-of", std::to_string(area.size) + " " + in_html(area.unit)) +
           attribute("data-name", in_html(area.name)) + attribute("data-values", values) +
           "><rect class=\"track\"" + attribute("width", cycles_) + attribute("height", size) +
           "/><path class=\"fill\" d=\"" + path + "\"><title>" + in_html(area.name) + ": at most " +
           std::to_string(peak(area)) + " of " + std::to_string(area.size) + " " + in_html(area.unit) +
           "</title></path></svg>\n";
  }

  const Timeline& timeline_;
  Cycle cycles_;
};

std::string legend(const Timeline& timeline) {
  std::array<bool, Timeline::kinds> used{};
  for (const Timeline::Line& line : timeline.lines)
    for (const Timeline::Bar& bar : line.bars)
      used[static_cast<std::size_t>(bar.kind)] = true;
  std::string html = "<p class=\"legend\">";
  for (std::size_t k = 0; k < styles.size(); ++k)
    if (used[k])
      html +=
          "<span><i class=\"" + std::string(styles[k]) + "\"></i>" + in_html(timeline.legend[k]) + "</span>";
  if (!timeline.areas.empty())
    html += "<span><i class=\"fill\"></i>words that are still read</span>";
  return html + "</p>\n";
}

} // namespace

std::string render_timelines(const std::string& title,
                             const std::vector<std::pair<std::string, std::string>>& facts,
                             const std::vector<Timeline>& timelines) {
  std::string told, sections;
  for (const auto& [name, text] : facts)
    told += "<div><dt>" + in_html(name) + "</dt><dd>" + in_html(text) + "</dd></div>\n";
  for (const Timeline& timeline : timelines)
    sections += "<section><div class=\"bar\"><h2>" + in_html(timeline.title) + "</h2><span class=\"muted\">" +
                in_html(timeline.note) +
                "</span><span class=\"zoom\" hidden><button class=\"box\" data-by=\"0.5\">smaller</button> "
                "<button class=\"box\" data-by=\"2\">larger</button></span></div>\n" +
                legend(timeline) + Drawing(timeline).html() + "</section>\n";
  return fill_page("timeline.html", {{"@TITLE@", in_html(title)},
                                     {"@HEADING@", in_html(title)},
                                     {"@FACTS@", told},
                                     {"@TIMELINES@", sections}});
}

} // namespace deltatwin

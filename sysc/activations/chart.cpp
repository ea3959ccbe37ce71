#include "activations/chart.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

namespace deltatwin {
namespace {

constexpr double width = 640, left = 70, right = 20, top = 40, plot = 300, bottom = 46;
constexpr std::size_t legend_columns = 3;
constexpr double legend_row = 18;
constexpr const char* colours[] = {"#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf"};

std::string number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text)
    if (c == '<')
      result += "&lt;";
    else if (c == '&')
      result += "&amp;";
    else
      result += c;
  return result;
}

// A name in a line of a table.
std::string field(const std::string& name) {
  return name.find(',') == std::string::npos ? name : "\"" + name + "\"";
}

std::string text_at(double x, double y, const std::string& text, const std::string& more) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" " + more + ">" + escaped(text) + "</text>\n";
}

/// A step of 1, 2 or 5 times a power of ten that gives about five marks.
double mark_step(double span) {
  const double raw = span / 5, power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (raw <= factor * power)
      return factor * power;
  return 10 * power;
}

/// Where values lie on the drawing.
struct Frame {
  explicit Frame(const Chart& chart) {
    bool any = false;
    for (const ChartSeries& series : chart.series)
      for (const auto& [x, y] : series.points) {
        x_low = any ? std::min(x_low, x) : x;
        x_high = any ? std::max(x_high, x) : x;
        y_low = any ? std::min(y_low, y) : y;
        y_high = any ? std::max(y_high, y) : y;
        any = true;
      }
    if (chart.bars) {
      y_low = 0;
      x_low -= 0.5;
      x_high += 0.5;
    }
    if (!(x_high > x_low))
      x_high = x_low + 1;
    if (!(y_high > y_low))
      y_high = y_low + 1;
    y_step = mark_step(y_high - y_low);
    y_low = std::floor(y_low / y_step) * y_step;
    y_high = std::ceil(y_high / y_step) * y_step;
  }
  [[nodiscard]] double x(double value) const {
    return left + (value - x_low) / (x_high - x_low) * (width - left - right);
  }
  [[nodiscard]] double y(double value) const {
    return top + plot - (value - y_low) / (y_high - y_low) * plot;
  }
  double x_low = 0, x_high = 1, y_low = 0, y_high = 1, y_step = 1;
};

// Where x has its marks: at the points, or evenly where those are many.
std::vector<double> marks(const Chart& chart, const Frame& frame) {
  std::set<double> places;
  for (const ChartSeries& series : chart.series)
    for (const auto& point : series.points)
      places.insert(point.first);
  if (places.size() <= 12)
    return {places.begin(), places.end()};
  const double step = mark_step(frame.x_high - frame.x_low);
  std::vector<double> even;
  for (double at = std::ceil(frame.x_low / step) * step; at <= frame.x_high + step / 1000; at += step)
    even.push_back(at);
  return even;
}

std::string axes(const Chart& chart, const Frame& frame) {
  std::string svg = text_at(width / 2, 22, chart.title, "text-anchor=\"middle\" font-size=\"15\"");
  for (int i = 0; frame.y_low + i * frame.y_step <= frame.y_high + frame.y_step / 2; ++i) {
    const double value = frame.y_low + i * frame.y_step, at = frame.y(value);
    svg += "<path d=\"M" + number(left) + " " + number(at) + "H" + number(width - right) +
           "\" stroke=\"#ddd\"/>\n" + text_at(left - 8, at + 4, number(value), "text-anchor=\"end\"");
  }
  for (const double place : marks(chart, frame))
    svg += text_at(frame.x(place), top + plot + 18, number(place), "text-anchor=\"middle\"");
  svg += text_at(left + (width - left - right) / 2, top + plot + 36, chart.x_label, "text-anchor=\"middle\"");
  return svg + text_at(16, top + plot / 2, chart.y_label,
                       "text-anchor=\"middle\" transform=\"rotate(-90 16 " + number(top + plot / 2) + ")\"");
}

std::string draw(const Chart& chart, const Frame& frame, std::size_t number_of) {
  const ChartSeries& series = chart.series[number_of];
  const std::string colour = colours[number_of % std::size(colours)];
  std::string svg, path;
  const double share = 0.8 / static_cast<double>(chart.series.size());
  for (const auto& [x, y] : series.points) {
    if (chart.bars) {
      const double from = frame.x(x - 0.4 + share * static_cast<double>(number_of)),
                   to = frame.x(x - 0.4 + share * static_cast<double>(number_of + 1));
      svg += "<rect x=\"" + number(from) + "\" y=\"" + number(frame.y(y)) + "\" width=\"" +
             number(to - from) + "\" height=\"" + number(frame.y(frame.y_low) - frame.y(y)) + "\" fill=\"" +
             colour + "\"/>\n";
      continue;
    }
    path += (path.empty() ? "M" : "L") + number(frame.x(x)) + " " + number(frame.y(y));
    svg += "<circle cx=\"" + number(frame.x(x)) + "\" cy=\"" + number(frame.y(y)) + "\" r=\"3\" fill=\"" +
           colour + "\"/>\n";
  }
  if (!path.empty())
    svg += "<path d=\"" + path + "\" fill=\"none\" stroke=\"" + colour + "\" stroke-width=\"2\"/>\n";
  const double x = left + static_cast<double>(number_of % legend_columns) * (width - left - right) /
                              static_cast<double>(legend_columns),
               y = top + plot + bottom + legend_row * static_cast<double>(number_of / legend_columns);
  return svg + "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"10\" height=\"10\" fill=\"" +
         colour + "\"/>\n" + text_at(x + 15, y + 9, series.name, "");
}

} // namespace

std::string to_svg(const Chart& chart) {
  const Frame frame(chart);
  const double height =
      top + plot + bottom +
      legend_row * static_cast<double>((chart.series.size() + legend_columns - 1) / legend_columns);
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(width) + " " +
                    number(height) + "\" font-family=\"sans-serif\" font-size=\"12\">\n" +
                    "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n" + axes(chart, frame);
  for (std::size_t s = 0; s < chart.series.size(); ++s)
    svg += draw(chart, frame, s);
  return svg + "</svg>\n";
}

std::string to_csv(const Chart& chart) {
  std::map<double, std::vector<std::string>> rows;
  std::string text = field(chart.x_label);
  for (std::size_t s = 0; s < chart.series.size(); ++s) {
    text += "," + field(chart.series[s].name);
    for (const auto& [x, y] : chart.series[s].points) {
      rows[x].resize(chart.series.size());
      rows[x][s] = number(y);
    }
  }
  text += "\n";
  for (auto& [x, values] : rows) {
    text += number(x);
    for (const std::string& value : values)
      text += "," + value;
    text += "\n";
  }
  return text;
}

} // namespace deltatwin

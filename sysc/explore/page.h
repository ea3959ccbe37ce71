#pragma once
#include <boost/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace deltatwin {

/// A template of this directory with its placeholders, such as "@DATA@", replaced, in the order in which they
/// stand there; what replaces one is never searched for another. All pages share report.css: "@STYLE@" first.
[[nodiscard]] std::string fill_page(const std::string& file,
                                    const std::vector<std::pair<std::string, std::string>>& texts);

/// JSON that a <script> element can hold.
[[nodiscard]] std::string in_script(const boost::json::object& data);
/// A text that an element or an attribute's quotes can hold.
[[nodiscard]] std::string in_html(const std::string& text);

} // namespace deltatwin

#include "cosim/rtl_sources.h"
#include "base/tool.h"
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string_view>

namespace deltatwin {
namespace {

namespace fs = std::filesystem;

struct Token {
  enum Kind { word, string, sign } kind;
  std::string_view text;
};

// Words (identifiers, numbers, `directives), strings without their quotes, and single signs but "::".
std::vector<Token> tokens(std::string_view text) {
  const auto of_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$';
  };
  std::vector<Token> result;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    if (text.substr(at, 2) == "//") {
      end = text.find('\n', at);
    } else if (text.substr(at, 2) == "/*") {
      end = text.find("*/", at + 2);
      end += end == std::string_view::npos ? 0 : 2;
    } else if (text[at] == '"') {
      while (end < text.size() && text[end] != '"' && text[end] != '\n')
        end += text[end] == '\\' ? 2 : 1;
      end = std::min(end, text.size());
      result.push_back({Token::string, text.substr(at + 1, end - at - 1)});
      ++end;
    } else if (of_word(text[at]) || text[at] == '`') {
      while (end < text.size() && of_word(text[end]))
        ++end;
      result.push_back({Token::word, text.substr(at, end - at)});
    } else if (!std::isspace(static_cast<unsigned char>(text[at]))) {
      end += text.substr(at, 2) == "::";
      result.push_back({Token::sign, text.substr(at, end - at)});
    }
    at = std::min(end, text.size());
  }
  return result;
}

struct Source {
  std::string text;
  std::vector<Token> tokens; ///< of the text
};

class Search {
public:
  explicit Search(std::string directory) : directory_(std::move(directory)) {
    for (const std::string& file : rtl_files(directory_)) {
      const auto& list = source(file).tokens;
      for (std::size_t i = 0; i + 1 < list.size(); ++i) {
        if (!declares(list[i].text))
          continue;
        const bool lifetime = list[i + 1].text == "automatic" || list[i + 1].text == "static";
        if (i + 1 + lifetime == list.size())
          continue;
        auto& where = declared_[std::string(list[i + 1 + lifetime].text)];
        if (where.empty() || where.back() != file)
          where.push_back(file);
      }
    }
  }

  void add_module(const std::string& name) {
    const auto found = declared_.find(name);
    if (found == declared_.end() || !met_.insert(name).second)
      return;
    const std::vector<std::string>& files = found->second;
    const auto own =
        std::find_if(files.begin(), files.end(), [&](const fs::path& file) { return file.stem() == name; });
    if (files.size() > 1 && own == files.end())
      throw ToolError(directory_ + ": " + fs::path(files[0]).filename().string() + " and " +
                      fs::path(files[1]).filename().string() + " both declare " + name);
    add_file(own == files.end() ? files.front() : *own);
  }

  [[nodiscard]] RtlSources result() const {
    RtlSources sources;
    std::string key;
    const auto add = [&](const std::string& path, const std::string& text) {
      key += fs::path(path).lexically_relative(directory_).string() + "\n" + std::to_string(text.size()) +
             "\n" + text;
    };
    for (const std::string& file : files_) {
      sources.files.push_back(fs::path(file).filename().string());
      add(file, sources_.at(file).text);
      const fs::path waiver = fs::path(file).replace_extension(".vlt");
      std::error_code error;
      if (fs::is_regular_file(waiver, error)) {
        sources.waivers.push_back(waiver.filename().string());
        add(waiver.string(), read(waiver.string()));
      }
    }
    for (const std::string& file : named_) {
      sources.named.push_back(file);
      add(file, read(file));
    }
    sources.key = hash_text(key);
    sources.complete = complete_;
    return sources;
  }

private:
  static bool declares(std::string_view word) {
    return word == "module" || word == "macromodule" || word == "package" || word == "interface" ||
           word == "program" || word == "primitive";
  }

  static std::string read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }

  Source& source(const std::string& path) {
    Source& result = sources_[path];
    if (result.tokens.empty()) {
      result.text = read(path);
      result.tokens = tokens(result.text);
    }
    return result;
  }

  void add_file(const std::string& path) {
    if (files_.insert(path).second)
      follow(path);
  }

  // What a file names: modules and packages that it uses, and files.
  void follow(const std::string& path) {
    const std::vector<Token> list = source(path).tokens;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const bool include = list[i].text == "`include" && list[i].kind == Token::word;
      if (include && (i + 1 == list.size() || list[i + 1].kind != Token::string))
        complete_ = false;
      if (list[i].kind == Token::string) {
        const bool included = i > 0 && list[i - 1].text == "`include" && list[i - 1].kind == Token::word;
        if (!add_named(path, std::string(list[i].text), included) && included)
          complete_ = false;
      } else if (list[i].kind == Token::word && i + 1 < list.size() &&
                 (i == 0 || !declares(list[i - 1].text)) &&
                 (list[i + 1].kind == Token::word || list[i + 1].text == "#" || list[i + 1].text == "::")) {
        add_module(std::string(list[i].text));
      }
    }
  }

  bool add_named(const std::string& path, const std::string& name, bool included) {
    bool found = false;
    for (const fs::path& base : {fs::path(path).parent_path(), fs::path(directory_)}) {
      const std::string file = (base / name).lexically_normal().string();
      std::error_code error;
      if (name.empty() || !fs::is_regular_file(file, error))
        continue;
      found = true;
      if (named_.insert(file).second && included)
        follow(file);
    }
    return found;
  }

  std::string directory_;
  std::map<std::string, Source> sources_;
  std::map<std::string, std::vector<std::string>> declared_; ///< the files, by name
  std::set<std::string> met_, files_, named_;
  bool complete_ = true;
};

} // namespace

RtlSources rtl_sources(const std::string& directory, const std::string& top) {
  Search search(fs::absolute(directory).lexically_normal().string());
  search.add_module(top);
  RtlSources sources = search.result();
  if (sources.files.empty())
    throw ToolError(directory + ": no file declares the module " + top);
  return sources;
}

} // namespace deltatwin

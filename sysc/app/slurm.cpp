#include "app/slurm.h"
#include "app/options.h"
#include "base/tool.h"
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <regex>
#include <thread>

namespace deltatwin {
namespace {

std::string slurm(const std::string& tool, const std::vector<std::string>& arguments) {
  return run_tool(tool, arguments, {}, "slurm-client");
}

// Tasks that are waiting or at work; none once Slurm has forgotten the job.
std::size_t open_tasks(const std::string& job) {
  try {
    const std::string lines = slurm("squeue", {"--noheader", "--array", "--jobs", job, "--format", "%i"});
    return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
  } catch (const ToolError& error) {
    if (std::string(error.what()).find("Invalid job id") == std::string::npos)
      throw;
    return 0;
  }
}

// "JOB" or "JOB;CLUSTER", among what else sbatch says.
std::string job_of(const std::string& output) {
  std::smatch job;
  if (!std::regex_search(output, job, std::regex("(?:^|\n)(\\d+)(?:;|\n|$)")))
    throw ToolError("sbatch named no job: " + output);
  return job[1];
}

} // namespace

bool run_job_array(const std::vector<std::string>& words, const std::vector<int>& tasks, int count, int cpus,
                   const std::string& log, const std::atomic<bool>& stop) {
  constexpr auto pause = std::chrono::seconds(1);
  constexpr int patience = 60; // unanswered questions in a row
  std::vector<std::string> command = {this_program()};
  command.insert(command.end(), words.begin(), words.end());
  std::string array;
  for (const int task : tasks)
    array += (array.empty() ? "" : ",") + std::to_string(task);
  const std::string job = job_of(slurm(
      "sbatch", {"--parsable", "--array=" + array, "--job-name=deltatwin", "--output=" + log,
                 "--cpus-per-task=" + std::to_string(cpus), "--wrap",
                 "exec " + shell_line(command) + " --shard $SLURM_ARRAY_TASK_ID/" + std::to_string(count)}));

  Progress progress("Slurm job " + job);
  for (int unanswered = 0;;) {
    if (stop) {
      slurm("scancel", {job});
      return false;
    }
    try {
      const std::size_t open = open_tasks(job);
      if (open == 0)
        return true;
      unanswered = 0;
      progress.update(static_cast<double>(tasks.size() - std::min(open, tasks.size())),
                      static_cast<double>(tasks.size()));
    } catch (const ToolError&) {
      if (!stop && ++unanswered == patience) // Ctrl-C reaches squeue too
        throw;
    }
    std::this_thread::sleep_for(pause);
  }
}

} // namespace deltatwin

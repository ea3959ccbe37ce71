#pragma once
#include <atomic>
#include <string>
#include <vector>

namespace deltatwin {

/// Submits this program's command line `words` as a Slurm job array, once for each of `tasks`, with
/// "--shard TASK/count" behind it and `cpus` processors each, and waits for its end. What a task prints goes
/// to `log`, in which %a is the task. Cancels the jobs and returns false once `stop` is set. Throws ToolError
/// where Slurm is missing or refuses; a task's failure is not reported.
bool run_job_array(const std::vector<std::string>& words, const std::vector<int>& tasks, int count, int cpus,
                   const std::string& log, const std::atomic<bool>& stop);

} // namespace deltatwin
